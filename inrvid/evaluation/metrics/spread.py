"""Whether generated clips are as different from each other as real ones are, and whether they are copies of these."""

from __future__ import annotations

from torch import Tensor

from ..distances import diversity, memorisation
from .base import Metric, Parts


class Diversity(Metric):
    """How far generated clips are from each other, relative to real ones; 1: as diverse, 0: all the same.

        E |y − y'| / E |x − x'|

    x are features of real clips, y of generated ones.
    """

    better = "neither"

    def score(self, real: Tensor, fake: Tensor, parts: Parts) -> dict[str, float]:
        """Above 1: more diverse than the real clips, or noise."""
        return {name: diversity(real[:, columns], fake[:, columns]) for name, columns in parts.items()}


class Memorisation(Metric):
    """How far generated clips are from their nearest real one, relative to real ones among themselves; 0: copies.

        E min_x |y − x| / E min_{x'≠x} |x − x'|

    x are features of real clips, y of generated ones.
    """

    better = "neither"
    nearest = True

    def score(self, real: Tensor, fake: Tensor, parts: Parts) -> dict[str, float]:
        """About 1: as far as real clips are from each other; below: nearer; above: unlike any real clip.

        The real clips have to be those that the generator was trained on.
        """
        return {name: memorisation(real[:, columns], fake[:, columns]) for name, columns in parts.items()}
