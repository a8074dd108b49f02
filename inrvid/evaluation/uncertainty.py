"""How far off a score may be: by random halves of the clips; and where it would go with more of them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from .metrics.base import Metric
from .protocol import Protocol


def spread_of_halves(
    metric: Metric, real: Tensor, fake: Tensor, parts: Mapping[str, slice], protocol: Protocol
) -> dict[str, float]:
    """Standard errors: the standard deviation of scores of random halves of both sets; none where a half is too small
    for a score.

    A half's variance is twice that of all, half of which is lost as halves share clips: the two cancel (delete-half
    jackknife: Shao & Wu 1989). A bootstrap would draw clips twice, which distances take for likeness.
    """
    if min(len(real), len(fake)) // 2 < metric.fewest:
        return {}
    draws = torch.Generator().manual_seed(protocol.seed)
    found: list[dict[str, float]] = []
    for _ in range(protocol.halves):
        first, second = (x[torch.randperm(len(x), generator=draws)[: len(x) // 2]] for x in (real, fake))
        found.append(metric.score(first, second, parts))
    return {part: float(np.std([value[part] for value in found], ddof=1)) for part in found[0]}


def extrapolated(
    metric: Metric, real: Tensor, fake: Tensor, parts: Mapping[str, slice], *, seed: int
) -> dict[str, float]:
    """Where the scores of halves, of three quarters and of all clips lead: a line in 1/N (Chong & Forsyth, CVPR 2020).

    Which clips these are is drawn by the seed: the first ones may be of one class.

    Bias is as 1/N where N is well beyond the number of features; below, this is a lower bound of what is left of it.
    """
    draws = torch.Generator().manual_seed(seed)
    real, fake = (x[torch.randperm(len(x), generator=draws)] for x in (real, fake))
    sizes = [len(real) // 2, 3 * len(real) // 4, len(real)]
    found = [metric.score(real[:n], fake[: max(2, round(len(fake) * n / len(real)))], parts) for n in sizes if n >= 2]
    if len(found) < 2:
        return {}
    lines = {part: np.polyfit([1 / n for n in sizes[-len(found) :]], [f[part] for f in found], 1) for part in found[0]}
    return {part: max(0.0, float(line[1])) for part, line in lines.items()}
