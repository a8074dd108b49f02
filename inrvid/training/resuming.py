"""Resuming from a checkpoint: at the start of a run, or by going back to one after the run has diverged."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..errors import InrvidError
from .checkpoint import load_checkpoint
from .keeping import newest_intact, set_aside
from .processes.group import NoAgreement
from .run import Run

MOST_ROLLBACKS = 10
ROLLBACK_STRIDE = 1_000_003
"""Difference between the seeds of draws before and after a rollback."""


class Diverged(Exception):
    """A loss is no longer finite, and the recipe wants to go back."""


def go_on_from(run: Run, candidates: Sequence[Path]) -> None:
    """Resume from the first candidate that can be loaded: an intact one may still be of another version or model.

    Raises:
        InrvidError: none can be loaded; it is the first one's. NoAgreement: the processes have loaded different ones.
    """
    if run.recipe.train.init is not None:
        run.say("note: the run continues from its checkpoint: train.init, for new runs, is ignored")
    problems: list[str] = []
    for checkpoint in candidates:
        try:
            _load(run, checkpoint)
        except NoAgreement:  # each process has loaded what it could: the next ones would differ, too
            raise
        except InrvidError as error:
            problems.append(str(error))
            continue
        for problem in problems:
            run.say(f"{problem.splitlines()[0]}: it is not used; {checkpoint} is")
        return
    raise InrvidError(problems[0])


def roll_back(run: Run, what: str) -> None:
    """Go back to the newest checkpoint, and continue from there with other random draws.

    Args:
        what: what has happened, for the message.

    Raises:
        InrvidError: there is no checkpoint, or there have been too many rollbacks.
    """
    checkpoint = newest_intact(run.run_dir / "checkpoints", run.say)
    rollbacks = run.rollbacks + 1
    if checkpoint is None or rollbacks > MOST_ROLLBACKS:
        why = "there is no checkpoint yet" if checkpoint is None else f"after {MOST_ROLLBACKS} rollbacks"
        raise InrvidError(f"{what}, {why}: try a smaller optim.*.lr, or a larger loss.r1_gamma")
    _load(run, checkpoint)
    _draw_anew(run, max(rollbacks, run.rollbacks + 1))
    run.saved = False  # the checkpoint has another number of rollbacks


def _load(run: Run, checkpoint: Path) -> None:
    """Take a checkpoint's state; this run's newer checkpoints are set aside, not overwritten."""
    manifest = load_checkpoint(checkpoint, run.training, run.say)
    run.step, run.clips = manifest.step, manifest.clips
    _draw_anew(run, manifest.rollbacks)
    run.group.agree(
        f"{run.clips} clips, {run.rollbacks} rollbacks",
        "the checkpoint to resume from",
        "some cannot read a file of it, or another training writes there: the run's folder must be the same for all",
    )
    own = run.run_dir / "checkpoints"
    run.saved = checkpoint.resolve().parent == own.resolve()
    if manifest.data != run.dataset.fingerprint:
        run.say(f"warning: {checkpoint} was trained on other data, or with other settings (data.*)")
    if run.is_main:
        aside = set_aside(own, run.clips if run.saved else -1, run.run_dir / "metrics.jsonl")
        if aside is not None:
            run.say(f"newer checkpoints are kept in {aside}: delete it when they are of no use")


def _draw_anew(run: Run, rollbacks: int) -> None:
    """Set the number of rollbacks; each has random draws of its own."""
    run.rollbacks = rollbacks
    run.training.seed = run.recipe.seed + rollbacks * ROLLBACK_STRIDE
