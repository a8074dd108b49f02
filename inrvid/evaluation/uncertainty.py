"""How far off a score may be: by random halves of the videos; and where it would go with more of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from .metrics.base import Metric
from .protocol import Protocol

Videos = tuple[Sequence[int] | None, Sequence[int] | None]
"""The video of each row of (real, generated) features; None: each row is of a different one."""

SUBSETS = 5
"""Random halves, and three quarters, behind an extrapolation: a single one is off by chance as much as by bias."""


def spread_of_halves(
    metric: Metric,
    real: Tensor,
    fake: Tensor,
    parts: Mapping[str, slice],
    protocol: Protocol,
    videos: Videos = (None, None),
) -> dict[str, float]:
    """Standard errors: the standard deviation of the scores of random halves of both sets' videos (not clips, as those
    of one video are not independent draws); empty if a half is too small for a score.

    A half's variance is twice that of all, and half of it is lost because halves share videos: the two cancel
    (delete-half jackknife: Shao & Wu 1989). A bootstrap would draw clips twice, which distances take for likeness.
    """
    draws = torch.Generator().manual_seed(protocol.seed)
    found: list[dict[str, float]] = []
    for _ in range(protocol.halves):
        drawn = [_Shuffled(x, own, draws) for x, own in zip((real, fake), videos, strict=True)]
        first, second = (side.first(side.videos // 2) for side in drawn)
        if len(first) < metric.fewest_real or len(second) < metric.fewest:
            return {}
        found.append(metric.score(first, second, parts))
    return {part: float(np.std([value[part] for value in found], ddof=1)) for part in found[0]}


def extrapolated(
    metric: Metric,
    real: Tensor,
    fake: Tensor,
    parts: Mapping[str, slice],
    *,
    seed: int,
    videos: Videos = (None, None),
) -> dict[str, float]:
    """Scores extrapolated by a line in 1/N, fitted to those of half, three quarters and all of the videos (Chong &
    Forsyth, CVPR 2020).

    The subsets are drawn by the seed, `SUBSETS` times, since the first videos may be of one class.

    Bias is proportional to 1/N if N is well above the number of features; below that, some bias is left, and the
    extrapolation removes too little.
    """
    draws = torch.Generator().manual_seed(seed)
    drawn = [
        tuple(_Shuffled(x, own, draws) for x, own in zip((real, fake), videos, strict=True)) for _ in range(SUBSETS)
    ]
    count, share = drawn[0][0].videos, drawn[0][1].videos / drawn[0][0].videos

    def mean_score(n: int) -> dict[str, float]:
        pairs = [(first.first(n), second.first(max(2, round(share * n)))) for first, second in drawn]
        found = [metric.score(*pair, parts) for pair in (pairs if n < count else pairs[:1])]
        return {part: float(np.mean([score[part] for score in found])) for part in found[0]}

    scores = {n: mean_score(n) for n in (count // 2, 3 * count // 4, count) if n >= 2}
    if len(scores) < 2:
        return {}
    lines = {
        part: np.polyfit([1 / n for n in scores], [score[part] for score in scores.values()], 1)
        for part in scores[count]
    }
    return {part: max(0.0, float(line[1])) for part, line in lines.items()}


class _Shuffled:
    """Features whose videos are in a random order."""

    def __init__(self, features: Tensor, videos: Sequence[int] | None, draws: torch.Generator):
        own = torch.arange(len(features)) if videos is None else torch.tensor(videos).unique(return_inverse=True)[1]
        self.features, self.videos = features, int(own.max()) + 1
        self._place = torch.randperm(self.videos, generator=draws)[own]

    def first(self, count: int) -> Tensor:
        """Features of the first `count` videos."""
        return self.features[self._place < count]
