"""The moments of a run, and what is called at them.

    run:    on_start ─ on_enter ─ on_step, on_step, … ─ on_leave ─ on_end
                                  └ on_checkpoint, where one is due

A callback of another package is declared as any part is (`inrvid.registry`), `"callbacks.NAME" = "module:Class"`, and
named by a recipe: `train.callbacks: [{type: NAME, …}]`. It is called after the library's own, in the recipe's order:

    class Patience(Callback):
        class Config(PartConfig):
            checkpoints: int = 3

        def on_checkpoint(self, run, folder):
            if self.is_worse(run.generator):
                run.stop("it gets worse")
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from torch import Tensor

from ...config import PartConfig
from ..run import Run

NO_KEYS = PartConfig()


class Callback:
    """Constructed as `Class(config)`, in all processes; a subclass has those moments that it needs.

    All moments but `on_checkpoint` are called in all processes, after the same steps and in the same order; who writes
    or prints asks `run.is_main`. What the main process does for longer than a few seconds belongs into
    `with run.others_wait():`, which all processes enter: else those that wait for it give up.

    A resumed run must be the uninterrupted one: a callback changes no network, and neither draws from nor seeds the
    global random states (of torch, numpy, random); `random.Draws` has draws of its own. What a callback knows is not
    in checkpoints: what it needs to go on after a restart it keeps in a file of the run's folder.

    What a callback of another package raises ends the run after the step, in all processes: the state is saved, and
    one line names the callback, its package and the error.
    """

    Config: ClassVar[type[PartConfig]] = PartConfig

    def __init__(self, config: PartConfig = NO_KEYS):
        self.config = config

    def on_start(self, run: Run) -> None:
        """The run begins, once: networks are built, a checkpoint is loaded; it may be complete already (`run.end`)."""

    def on_enter(self, run: Run) -> None:
        """Steps are about to begin; again after a rollback, by which `run.step` and `run.clips` have become less."""

    def on_step(self, run: Run, values: Mapping[str, Tensor | float]) -> None:
        """A step is done, and counted.

        Args:
            values: of this process, by the names of metrics.jsonl: tensors on the device (losses, signs of logits; of
                any shape, what is logged is their mean), for which whoever reads them waits; seconds as numbers.
        """

    def on_checkpoint(self, run: Run, folder: Path) -> None:
        """A checkpoint was written: in the main process alone. The others wait for it, however long this takes."""

    def on_leave(self, run: Run) -> None:
        """No more steps: complete, stopped, failed, or about to go back to a checkpoint. Once for each `on_enter`,
        whatever has happened; what that has opened is closed here."""

    def on_end(self, run: Run) -> None:
        """The training is complete, or a callback has asked for its end: the result is saved, and scored."""
