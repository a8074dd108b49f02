"""Scores of the generator, during training and of the result."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

from torch import Tensor

from ...errors import InrvidError
from ...evaluation.record import Record
from ...evaluation.score import ProtocolScorer, Scorer, Scores, values
from ...files import write_text
from ...models.build import build_generator
from ...run_files import EVALUATION, SCORES
from ...text import rounded
from ..interval import Interval
from ..processes.stopping import AskedToStop
from ..run import Run
from .base import Callback
from .scored import Scored


class Scoring(Callback):
    """Scores by `eval`: at intervals, in metrics.jsonl; of the result, on the terminal and, with a protocol, as its
    record in evaluation.json in the run's and the model's folder, otherwise in scores.json beside those of the
    untrained generator.

    Args:
        scored: None outside the main process, or if nothing is measured. Other processes wait, however long it takes.
        log: called in the main process with scores to be logged beside the losses.
    """

    def __init__(self, scored: Scored | None, log: Callable[[Run, Scores], None]):
        super().__init__()
        self._scored, self._log = scored, log

    def on_enter(self, run: Run) -> None:
        config = run.recipe.eval
        kclips = config.interval_kclips if config.metrics else None
        self._due = None if kclips is None else Interval(kclips, run.clips)

    def on_step(self, run: Run, values: Mapping[str, Tensor | float]) -> None:
        if self._due is None or not self._due.passed(run.clips) or run.clips >= run.end:  # `on_end` scores the end
            return
        with run.others_wait():
            if self._scored is not None:
                self._look(run, self._scored)

    def on_checkpoint(self, run: Run, folder: Path) -> None:
        """Remove the scores of the model that this one has just replaced."""
        for path in (run.run_dir / "model" / EVALUATION, run.run_dir / EVALUATION, run.run_dir / SCORES):
            path.unlink(missing_ok=True)

    def on_end(self, run: Run) -> None:
        if not run.recipe.eval.metrics:
            return
        with run.others_wait():
            if self._scored is None:
                return
            try:
                self._score(run, self._scored)
            except (InrvidError, AskedToStop) as error:
                raise InrvidError(
                    f"eval: {error}\n  training is complete, the model is in {run.run_dir / 'model'}; it has no scores"
                ) from None

    def _look(self, run: Run, scored: Scored) -> None:
        try:
            scores = scored(run)
        except (InrvidError, AskedToStop) as error:  # not worth losing the training
            run.say(f"warning: no scores at {run.clips} clips: {error}")
            return
        self._log(run, scores)
        told = ", ".join(f"{name} {rounded(value, 4)}" for name, value in scores.items())
        run.say(f"scores at {run.clips} clips: {told}")

    def _score(self, run: Run, scored: Scored) -> None:
        scorer = scored.scorer
        if isinstance(scorer, ProtocolScorer):
            _write_record(run, scorer)
            is_logged = True
        else:
            _compare_with_untrained(run, scored, scorer)
            is_logged = run.recipe.eval.interval_kclips is not None
        if is_logged:
            self._log(run, run.scores)


def _write_record(run: Run, scorer: ProtocolScorer) -> None:
    """Write all that the protocol asks for, to the run's folder and its model's."""
    record = scorer.record(run.generator)
    run.scores = values(record)
    for folder in (run.run_dir, run.run_dir / "model"):
        record.write(folder / EVALUATION)
    run.say(*_lines(record))


def _compare_with_untrained(run: Run, scored: Scored, scorer: Scorer) -> None:
    untrained = build_generator(run.recipe.generator, seed=run.recipe.seed).eval().to(run.accelerator.device)
    before, run.scores = scorer(untrained), scored(run)
    scores = {"untrained": before, "trained": run.scores, "clips": scorer.clips}
    write_text(run.run_dir / SCORES, json.dumps(scores, indent=2) + "\n")
    alone = len(scorer.metrics) == 1 and scorer.metrics[0].better == "lower"
    run.say(*_table(before, run.scores, distances=alone))


def _table(before: Scores, after: Scores, *, distances: bool) -> list[str]:
    """If all are one metric's distances from real clips (`distances`), the title says so, and their sum is added."""
    rows = [(name, before[name], after[name]) for name in after]
    rows += [("sum", sum(before.values()), sum(after.values()))] if distances else []
    title, note = ("distance from real clips", "   (lower is better)") if distances else ("scores", "")
    return [
        f"{title:<34}{'untrained':>12}{'trained':>12}{note}",
        *(f"  {name:<32}{untrained:>12.1f}{trained:>12.1f}" for name, untrained, trained in rows),
    ]


def _lines(record: Record) -> list[str]:
    lines = [f"{f'scores by protocol {record.protocol} {record.protocol_version}':<34}{'':>12}{'±':>12}"]
    for name, score in record.scores.items():
        error = "" if score.error is None else rounded(score.error, 2)
        better = "" if score.better == "neither" else f"   ({score.better} is better)"
        lines.append(f"  {name:<32}{rounded(score.value, 4):>12}{error:>12}{better}")
    return [*lines, *(f"note: {note}" for note in record.notes)]
