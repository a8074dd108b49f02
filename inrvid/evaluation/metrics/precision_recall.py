"""Precision and recall of distributions, by nearest neighbours (Kynkäänniemi et al., NeurIPS 2019)."""

from __future__ import annotations

from pydantic import Field
from torch import Tensor

from ...config import Count
from ..distances import precision_recall
from .base import Metric, Parts


class PrecisionRecall(Metric):
    """How much of what is generated is plausible, and how much of the real is covered, by nearest neighbours.

        precision = P(y ∈ M(real)),   recall = P(x ∈ M(generated))

    M of a set is the union of the balls around its features that reach to their k-th nearest neighbour in it.
    """

    source = "Kynkäänniemi et al. (NeurIPS 2019)"

    class Config(Metric.Config):
        k: Count = Field(3, description="number of the neighbour whose distance is the radius around a clip")

    config: Config
    better = "higher"

    @property
    def fewest(self) -> int:
        return self.config.k + 1

    def score(self, real: Tensor, fake: Tensor, parts: Parts) -> dict[str, float]:
        """`precision` and `recall` in [0, 1]; higher is better."""
        precision, recall = precision_recall(real, fake, k=self.config.k)
        return {"precision": precision, "recall": recall}
