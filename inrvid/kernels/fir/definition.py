"""The filter along an axis as a sum of shifted samples."""

from __future__ import annotations

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor


def fir(x: Tensor, taps: list[float], axis: int, up: int, down: int, padding: list[int], gain: float) -> Tensor:
    x = x.transpose(axis, 2)
    spread = x.new_zeros(*x.shape, up)
    spread[..., 0] = x
    x = F.pad(spread.flatten(2), padding)
    count = (x.shape[2] - len(taps)) // down + 1
    parts = (x[..., i : i + (count - 1) * down + 1 : down] * (tap * gain) for i, tap in enumerate(taps))
    return sum(parts, x.new_zeros(())).transpose(axis, 2).contiguous()


def length(n: int, taps: int, up: int, down: int, padding: Sequence[int]) -> int:
    """Length of the filtered axis."""
    return (n * up + sum(padding) - taps) // down + 1
