"""Inception score (Salimans et al., NeurIPS 2016): of the generated clips alone, by a classifier."""

from __future__ import annotations

from pydantic import Field
from torch import Tensor

from ...config import Count
from ..distances import inception_score
from .base import Metric, Parts


class InceptionScore(Metric):
    """exp E KL(p(y|x) ‖ p(y)) of a classifier's probabilities; real clips play no part."""

    source = "Salimans et al. (NeurIPS 2016)"

    class Config(Metric.Config):
        splits: Count = Field(10, description="groups whose scores are averaged")

    config: Config
    better = "higher"

    def score(self, real: Tensor, fake: Tensor, parts: Parts) -> dict[str, float]:
        """Of features that are logits; higher is better, 1 is the least."""
        mean, _ = inception_score(fake.softmax(dim=1), splits=min(self.config.splits, len(fake)))
        return {"": mean}
