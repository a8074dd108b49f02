"""Kernel distances of features: KVD (Unterthiner et al., 2018), unbiased with any number of clips."""

from __future__ import annotations

from torch import Tensor

from ..distances import kernel_distance
from .base import Metric, Parts


class Kvd(Metric):
    """Kernel video distance: squared MMD of features under the kernel (x·y/n + 1)³, unbiased.

        E_{x≠x'} k(x, x') + E_{y≠y'} k(y, y') − 2·E k(x, y),   k(x, y) = (x·y/n + 1)³

    x are features of real clips, y of generated ones, each of n numbers.
    """

    source = "Unterthiner et al. (2018)"

    def score(self, real: Tensor, fake: Tensor, parts: Parts) -> dict[str, float]:
        """Lower is better; may be below 0, as an unbiased estimate of 0."""
        return {name: kernel_distance(real[:, columns], fake[:, columns]) for name, columns in parts.items()}
