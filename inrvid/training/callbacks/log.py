"""Logging of steps to metrics.jsonl, the terminal, TensorBoard and trackers, and of what goes wrong in them."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence

import torch
from rich.console import Console
from torch import Tensor

from ...errors import InrvidError
from ...evaluation.score import Scores
from ..health import PENALTY, Health
from ..interval import Interval
from ..monitor import Monitor
from ..resuming import Diverged
from ..run import Run
from ..stats import Stats
from .base import Callback


class Log(Callback):
    """Logs means over all processes, every `train.log_kclips` and at the end.

    Raises Diverged or InrvidError after a step if a loss is not finite and the recipe wants more than a warning.
    """

    def __init__(self) -> None:
        super().__init__()
        self._open = contextlib.ExitStack()
        self._monitor: Monitor | None = None

    def on_start(self, run: Run) -> None:
        self._health = Health(run.say)

    def on_enter(self, run: Run) -> None:
        self._due, self._stats = Interval(run.recipe.train.log_kclips, run.clips), Stats()
        folder, console = (run.run_dir, run.console) if run.is_main else (None, Console(quiet=True))
        self._monitor = self._open.enter_context(
            Monitor(folder, run.recipe, clips=run.clips, console=console, accelerator=run.accelerator)
        )

    def on_step(self, run: Run, values: Mapping[str, Tensor | float]) -> None:
        assert self._monitor is not None
        self._stats.add(values)
        self._monitor.advance(run.clips)
        if self._due.passed(run.clips) or run.clips >= run.end:
            self._log(run)

    def rest(self, run: Run) -> None:
        """Log the steps that are not logged yet, before an end requested by a callback; called by all processes."""
        if self._stats:
            self._log(run)

    def on_leave(self, run: Run) -> None:
        self._open.close()
        self._monitor = None

    def scores(self, run: Run, scores: Scores) -> None:
        """Log a line of scores, as `score/<name>`; in the main process only, between steps or after them."""
        values = {f"score/{name}": value for name, value in scores.items()}
        if self._monitor is not None:
            self._monitor.add(run.step, values)
            return
        quiet = Console(quiet=True)
        with Monitor(run.run_dir, run.recipe, clips=run.clips, console=quiet, accelerator=run.accelerator) as monitor:
            monitor.add(run.step, values)

    def _log(self, run: Run) -> None:
        assert self._monitor is not None
        values = self._stats.means(run.accelerator)
        if run.accelerator.device.type == "cuda":
            values["memory/gib"] = torch.cuda.memory_reserved() / 2**30
        self._monitor.log(run.step, values)
        self._health.observe(values)
        if losses := self._health.diverged(values):
            _diverged(run, losses)


def _diverged(run: Run, losses: Sequence[str]) -> None:
    policy = run.recipe.train.on_divergence
    what = f"a loss is not finite at {run.clips} clips ({', '.join(losses)})"
    if policy == "stop":
        raise InrvidError(f"{what}: stopped (train.on_divergence). Try a smaller optim.*.lr, or a larger {PENALTY}")
    if policy == "rollback":
        run.say(f"warning: {what}: going back to the last checkpoint, with another draw")
        raise Diverged(what)
    run.say(f"warning: {what}; train.on_divergence=rollback would go back to the last checkpoint")
