"""The callbacks of a run, called one after another, and the handling of errors in those of other packages."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from torch import Tensor

from ...config import PartConfig
from ...errors import InrvidError
from ...registry import registry
from ..run import Run
from .base import Callback


class FailedElsewhere(Exception):
    """A callback has failed in another process, which reports the error."""


class Chain(Callback):
    """The library's callbacks, then those of a recipe.

    Args:
        own: the library's; their exceptions propagate.
        configs: `train.callbacks`.

    Raises:
        InrvidError: one of `configs` cannot be built.
    """

    def __init__(self, own: Sequence[Callback], configs: Sequence[PartConfig]):
        super().__init__()
        self.own = own
        self.plugins: list[tuple[str, Callback]] = []
        for config in configs:
            try:
                self.plugins.append((config.type, registry("callbacks").build(config)))
            except Exception as error:
                raise _failure(config.type, error, "when it was made") from error
        self.failure: InrvidError | None = None
        """The error of the first callback that failed in this process."""

    def on_start(self, run: Run) -> None:
        self._call(run, lambda callback: callback.on_start(run))

    def on_enter(self, run: Run) -> None:
        self._call(run, lambda callback: callback.on_enter(run))

    def on_step(self, run: Run, values: Mapping[str, Tensor | float]) -> None:
        self._call(run, lambda callback: callback.on_step(run, values))

    def on_checkpoint(self, run: Run, folder: Path) -> None:
        self._call(run, lambda callback: callback.on_checkpoint(run, folder))

    def on_leave(self, run: Run) -> None:
        self._call(run, lambda callback: callback.on_leave(run))

    def on_end(self, run: Run) -> None:
        self._call(run, lambda callback: callback.on_end(run))

    @contextlib.contextmanager
    def around_steps(self, run: Run) -> Iterator[None]:
        try:
            self.on_enter(run)
            yield
        finally:
            self.on_leave(run)

    def end_if_failed(self, run: Run) -> None:
        """Raise the error of a plugin's callback, if one has failed; to be called by all processes.

        Raises:
            InrvidError: in the first process in which one failed.
            FailedElsewhere: in the others.
        """
        if not self.plugins:
            return
        run.stopper.agreed()
        if run.stopper.failed is None:
            return
        if run.stopper.failed == run.accelerator.process_index and self.failure is not None:
            raise self.failure
        raise FailedElsewhere

    def _call(self, run: Run, moment: Callable[[Callback], None]) -> None:
        for callback in self.own:
            moment(callback)
        for name, callback in self.plugins:
            try:
                moment(callback)
            except Exception as error:
                # Not raised here: the other processes are about to communicate, and the state is still to be saved.
                self.failure = self.failure or _failure(name, error, f"at {run.clips} clips", GOING_ON)
                run.stopper.fail(run.accelerator.process_index)


GOING_ON = "; training has stopped, the same command resumes it from the last checkpoint"


def _failure(name: str, error: Exception, when: str, remedy: str = "") -> InrvidError:
    entry = registry("callbacks").entry(name)
    reason = " ".join(f"{type(error).__name__}: {error}".split())
    failure = InrvidError(
        f"callback '{name}' of {entry.package} {entry.version} failed {when}: {reason}{remedy} (--debug shows where)"
    )
    failure.__cause__ = error
    return failure
