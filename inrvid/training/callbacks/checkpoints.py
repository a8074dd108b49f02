"""Checkpoints, and the model beside them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from torch import Tensor

from ...errors import InrvidError
from ...evaluation.score import Scores, higher_is_better
from ...models.files import DISCRIMINATOR, GENERATOR
from ..checkpoint import is_finite, save_checkpoint
from ..health import PENALTY
from ..interval import Interval
from ..keeping import newest_intact, prune
from ..processes.stopping import AskedToStop
from ..run import Run
from .base import Callback
from .scored import Scored


class Checkpoints(Callback):
    """Saves to checkpoints/ and model/, every `train.checkpoint_kclips` and at the end.

    Args:
        scored: computes the scores for `train.keep_best`; None outside the main process, or if nothing is measured.
        written: called after each checkpoint is written, in the main process.
    """

    def __init__(self, scored: Scored | None, written: Callable[[Run, Path], None]):
        super().__init__()
        self._scored, self._written = scored, written

    def on_enter(self, run: Run) -> None:
        self._due = Interval(run.recipe.train.checkpoint_kclips, run.clips)

    def on_step(self, run: Run, values: Mapping[str, Tensor | float]) -> None:
        if self._due.passed(run.clips) or run.clips >= run.end:
            self.save(run)

    def save(self, run: Run) -> bool:
        """Save unless a weight is not finite; returns whether all are. To be called by all processes.

        Raises:
            InrvidError: it cannot be written.
        """
        run.group.wait()  # for samples that the main process may be drawing
        run.training.prepare_to_save()
        finite = is_finite(run.training)
        if run.is_main:
            if finite:
                self._write(run)
            else:
                run.say(f"warning: weights are not finite at {run.clips} clips: no checkpoint is written")
        run.group.wait()  # the main process may score, too
        return finite

    def _write(self, run: Run) -> None:
        folder, config = run.run_dir / "checkpoints", run.recipe.train
        written = None
        if not run.saved:  # otherwise this very state is on disk already
            written = save_checkpoint(
                folder, run.training, step=run.step, clips=run.clips, rollbacks=run.rollbacks,
                data=run.dataset.fingerprint, scores=self._scores(run),
            )  # fmt: skip
            run.saved = True
        keep_every = None if config.keep_kclips is None else round(config.keep_kclips * 1000)
        prune(
            folder, keep_last=config.keep_last, keep_every=keep_every, keep_best=config.keep_best,
            highest=higher_is_better(run.recipe, config.keep_best), written=written,
        )  # fmt: skip
        save_model(run, run.run_dir / "model")
        if written is not None:
            self._written(run, written)

    def _scores(self, run: Run) -> Scores:
        """The scores kept with a checkpoint, by which the best one is chosen."""
        if self._scored is None or not run.recipe.train.keep_best:
            return {}
        try:
            return self._scored(run)
        except (InrvidError, AskedToStop) as error:
            run.say(f"warning: the checkpoint of {run.clips} clips has no scores: {error}")
            return {}


def save_model(run: Run, folder: Path) -> None:
    """Save what is published and fine-tuned: the moving average and, beside it, D, and G as the optimizer left it."""
    run.generator.save_pretrained(folder, **run.provenance)
    run.training.G.save_pretrained(folder / GENERATOR, clips=run.clips)
    run.training.D.save_pretrained(folder / DISCRIMINATOR, clips=run.clips)


def not_finite(run: Run) -> str:
    """The message for weights that are not finite."""
    newest = newest_intact(run.run_dir / "checkpoints")
    kept = f"the last checkpoint with finite ones is {newest}" if newest else "there is no checkpoint"
    return (
        f"weights are not finite, {kept}; try a smaller optim.*.lr, a larger {PENALTY}, or train.on_divergence=rollback"
    )
