"""The moments of a run, and what is called at them.

    run:    on_start ─ on_enter ─ on_step, on_step, … ─ on_leave ─ on_end
                                  └ on_checkpoint, where one is due

A callback of another package is declared like any other part (`inrvid.registry`), `"callbacks.NAME" = "module:Class"`,
and named in a recipe: `train.callbacks: [{type: NAME, …}]`. It is called after the library's, in the recipe's order:

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
    """Base class, constructed as `Class(config)` in all processes; a subclass overrides the moments that it needs.

    All moments except `on_checkpoint` are called in all processes, after the same steps and in the same order; check
    `run.is_main` before writing or printing. Work that takes the main process more than a few seconds belongs in
    `with run.others_wait():`, which all processes must enter: otherwise those waiting for it give up.

    A resumed run must equal the uninterrupted one: a callback changes no network, and neither draws from nor seeds the
    global random states (of torch, numpy, random); `inrvid.random.Draws` has draws of its own. Checkpoints do not hold
    a callback's state: what it needs after a restart, it must keep in a file in the run's folder.

    An exception in a callback of another package ends the run after the step, in all processes: the state is saved,
    and one line names the callback, its package and the error.
    """

    Config: ClassVar[type[PartConfig]] = PartConfig

    def __init__(self, config: PartConfig = NO_KEYS):
        self.config = config

    def on_start(self, run: Run) -> None:
        """Called once, when the run begins: networks are built, any checkpoint is loaded; the run may already be
        complete (`run.end`)."""

    def on_enter(self, run: Run) -> None:
        """Called before steps begin; again after a rollback, which has decreased `run.step` and `run.clips`."""

    def on_step(self, run: Run, values: Mapping[str, Tensor | float]) -> None:
        """Called after a step is done and counted.

        Args:
            values: this process's values, by their names in metrics.jsonl: tensors on the device (losses, signs of
                logits) of any shape, whose mean is logged: reading one waits for the device; seconds as numbers.
        """

    def on_checkpoint(self, run: Run, folder: Path) -> None:
        """Called after a checkpoint was written, in the main process only. The others wait, however long this takes."""

    def on_leave(self, run: Run) -> None:
        """Called when steps end: complete, stopped, failed, or about to roll back to a checkpoint. Called once for each
        `on_enter`, whatever has happened; close here what that has opened."""

    def on_end(self, run: Run) -> None:
        """Called when training is complete, or a callback has ended it: the result is saved and scored."""
