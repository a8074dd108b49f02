"""What a metric offers: features of clips, and a score from the features of two sets of clips."""

from __future__ import annotations

import abc
from collections.abc import Mapping

from torch import Tensor

from ...config import PartConfig


class Metric(abc.ABC):
    """Compares generated clips with real ones. Features are streamed: a batch of clips is seen once."""

    class Config(PartConfig):
        """What every metric has."""

    def __init__(self, config: Config):
        self.config = config

    @abc.abstractmethod
    def features(self, frames: Tensor) -> dict[str, Tensor]:
        """Features by name, float64 `[B, n]` each, of frames `[B, T, 3, H, W]` in [−1, 1]."""

    @abc.abstractmethod
    def score(self, real: Mapping[str, Tensor], fake: Mapping[str, Tensor]) -> dict[str, float]:
        """Scores by name of two sets' features (all batches concatenated); lower is better."""
