"""Scores of a run's generator as it is now: computed once, whether for the best checkpoint, an interval or the end."""

from __future__ import annotations

from ...evaluation.score import ProtocolScorer, Scorer, Scores
from ..run import Run


class Scored:
    """Scores a run's generator; exists in the main process only, if anything is measured.

    Args:
        scorer: compares any generator with the held-out clips.
    """

    def __init__(self, scorer: Scorer | ProtocolScorer):
        self.scorer = scorer
        self._known: tuple[tuple[int, int], Scores] | None = None

    def __call__(self, run: Run) -> Scores:
        """Scores by `metric/part`. Raises InrvidError, as the scorer does, and AskedToStop."""
        now = run.step, run.rollbacks
        if self._known is None or self._known[0] != now:
            run.stopper.check()
            self._known = now, self.scorer(run.generator, run.stopper.check)
        return self._known[1]
