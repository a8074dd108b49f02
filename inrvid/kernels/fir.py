"""A filter along one axis of planes, with up- and downsampling: what separable resampling is made of.

Zeros between samples (`up`), zeros around (or fewer samples), a FIR filter, every `down`-th result. Planes lie one
after another in memory, as pictures do; `upfirdn` is for feature maps, whose channels lie side by side. It is linear,
and its adjoint is another of the same kind, so that it is differentiable as often as one likes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from .operation import register


def fir(
    x: Tensor,
    taps: Sequence[float],
    axis: int,
    *,
    up: int = 1,
    down: int = 1,
    padding: Sequence[int] = (0, 0),
    gain: float = 1.0,
) -> Tensor:
    """Planes `[N, H, W]` → the same with axis 1 or 2 of length (up·n + p0 + p1 − taps)/down + 1.

    Args:
        taps: applied as a correlation.
        padding: (before, after), counted after upsampling; negative values crop.
        gain: factor of the result.
    """
    return FORWARD(x, list(taps), axis, up, down, list(padding), gain)


def definition(x: Tensor, taps: list[float], axis: int, up: int, down: int, padding: list[int], gain: float) -> Tensor:
    x = x.transpose(axis, 2)
    spread = x.new_zeros(*x.shape, up)
    spread[..., 0] = x
    x = F.pad(spread.flatten(2), padding)
    count = (x.shape[2] - len(taps)) // down + 1
    parts = (x[..., i : i + (count - 1) * down + 1 : down] * (tap * gain) for i, tap in enumerate(taps))
    return sum(parts, x.new_zeros(())).transpose(axis, 2).contiguous()


def cpu(x: Tensor, taps: list[float], axis: int, up: int, down: int, padding: list[int], gain: float) -> Tensor:
    if x.numel() == 0 or (up > 1 and down > 1):
        return definition(x, taps, axis, up, down, padding, gain)
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


def _setup(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    x, *ctx.constants = inputs
    ctx.shapes = x.shape, output.shape


def _backward(ctx: Any, gradient: Tensor) -> tuple[Any, ...]:
    (taps, axis, up, down, padding, gain), (before, after) = ctx.constants, ctx.shapes
    rest = before[axis] * up - after[axis] * down + padding[0] - up + 1
    found = FORWARD(gradient, taps[::-1], axis, down, up, [len(taps) - 1 - padding[0], rest], gain)
    return found, None, None, None, None, None, None


def length(n: int, taps: int, up: int, down: int, padding: Sequence[int]) -> int:
    """Of the filtered axis."""
    return (n * up + sum(padding) - taps) // down + 1


def _fake(x: Tensor, taps: list[float], axis: int, up: int, down: int, padding: list[int], gain: float) -> Tensor:
    shape = list(x.shape)
    shape[axis] = length(shape[axis], len(taps), up, down, padding)
    return x.new_empty(shape)


FORWARD = register(
    "fir",
    "(Tensor x, float[] taps, int axis, int up, int down, int[] padding, float gain) -> Tensor",
    definition,
    cpu,
    _fake,
    backward=_backward,
    setup=_setup,
)
