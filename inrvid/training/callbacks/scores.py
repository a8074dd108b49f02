"""Scores of the result."""

from __future__ import annotations

import json

from ...errors import InrvidError
from ...evaluation.score import Scorer, Scores
from ...files import write_text
from ...models.build import build_generator
from ..run import Run
from .base import Callback


class FinalScores(Callback):
    """In scores.json and on the terminal, beside those of the untrained generator; by `eval`.

    Args:
        scorer: in the main process, where something is measured.
    """

    def __init__(self, scorer: Scorer | None):
        super().__init__()
        self._scorer = scorer

    def on_end(self, run: Run) -> None:
        if self._scorer is None:
            return
        untrained = build_generator(run.recipe.generator, seed=run.recipe.seed).eval().to(run.accelerator.device)
        try:
            before, run.scores = self._scorer(untrained), self._scorer(run.generator)
        except InrvidError as error:
            raise InrvidError(
                f"eval: {error}\n  training is complete, the model is in {run.run_dir / 'model'}; it has no scores"
            ) from None
        scores = {"untrained": before, "trained": run.scores, "clips": self._scorer.clips}
        write_text(run.run_dir / "scores.json", json.dumps(scores, indent=2) + "\n")
        run.say(*_table(before, run.scores))


def _table(before: Scores, after: Scores) -> list[str]:
    rows = [*((name, before[name], after[name]) for name in after), ("sum", sum(before.values()), sum(after.values()))]
    return [
        f"{'distance from real clips':<34}{'untrained':>12}{'trained':>12}   (lower is better)",
        *(f"  {name:<32}{untrained:>12.1f}{trained:>12.1f}" for name, untrained, trained in rows),
    ]
