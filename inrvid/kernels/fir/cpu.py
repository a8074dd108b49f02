"""The filter along an axis as a convolution of one plane a channel."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from . import definition


def fir(x: Tensor, taps: list[float], axis: int, up: int, down: int, padding: list[int], gain: float) -> Tensor:
    if x.numel() == 0 or (up > 1 and down > 1):
        return definition.fir(x, taps, axis, up, down, padding, gain)
    count, (p0, p1) = len(taps), padding
    kernel = torch.tensor(taps, dtype=torch.float64).mul_(gain).to(x.dtype)
    kernel = kernel if up == 1 else kernel.flip(0)
    # Planes as channels: with planes as samples of one channel it takes half as long again.
    kernel = kernel.view((1, 1, -1, 1) if axis == 1 else (1, 1, 1, -1)).expand(len(x), -1, -1, -1)

    def along(value: int, other: int) -> tuple[int, int]:
        return (value, other) if axis == 1 else (other, value)

    if up == 1:
        x = F.pad(x, _around(axis, p0, p1))
        return F.conv2d(x[None], kernel, stride=along(down, 1), groups=len(x))[0]
    before, after = count - 1 - p0, count - up - p1  # what a transposed convolution writes beyond the result
    crop = max(0, min(before, after))
    y = F.conv_transpose2d(x[None], kernel, stride=along(up, 1), padding=along(crop, 0), groups=len(x))[0]
    return F.pad(y, _around(axis, crop - before, crop - after)).contiguous()


def _around(axis: int, before: int, after: int) -> list[int]:
    return [0, 0, before, after] if axis == 1 else [before, after]
