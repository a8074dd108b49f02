"""Upsample, filter, downsample (the StyleGAN family's resampling), and the same with a layer's epilogue.

Zeros between samples (`up`), zeros around, a separable FIR filter, every `down`-th result. It is linear, and its
adjoint is another of the same kind, so that it is differentiable as often as one likes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from .. import bias_act as epilogue
from ..bias_act import NO_BOUND, SLOPE
from ..fir.definition import length
from ..operation import implement, register
from ..rows import as_rows, like, of_samples
from . import definition

BINOMIAL = (0.125, 0.375, 0.375, 0.125)
"""[1, 3, 3, 1]/8, an axis of the StyleGAN family's low-pass."""


def upfirdn(
    x: Tensor,
    taps: Sequence[float] = BINOMIAL,
    *,
    up: int = 1,
    down: int = 1,
    padding: Sequence[int] = (0, 0),
    gain: float = 1.0,
) -> Tensor:
    """`[N, C, H, W]` → `[N, C, (up·H + p0 + p1 − taps)/down + 1, …]`, channels-last.

    Args:
        taps: of either axis; applied as a correlation.
        padding: (before, after) of either axis, counted after upsampling; negative values crop.
        gain: factor of the result.
    """
    return FORWARD(x, list(taps), up, down, list(padding), gain)


def upfirdn_bias_act(
    x: Tensor,
    bias: Tensor,
    scale: Tensor | None = None,
    taps: Sequence[float] = BINOMIAL,
    *,
    padding: Sequence[int] = (0, 0),
    filter_gain: float = 1.0,
    slope: float = SLOPE,
    gain: float = 1.0,
    bound: float = NO_BOUND,
) -> Tensor:
    """`bias_act(upfirdn(x))`, without up- or downsampling, in one pass: what follows a transposed convolution."""
    scale = of_samples(scale, x.shape[0])
    return FUSED(x, bias, scale, list(taps), list(padding), filter_gain, slope, gain, bound)


def adjoint(
    gradient: Tensor, size: Sequence[int], taps: list[float], up: int, down: int, padding: list[int], gain: float
) -> Tensor:
    """The gradient of upfirdn's x, whose (height, width) is `size`."""
    count, p0 = len(taps), padding[0]
    after = [n * up - m * down + p0 - up + 1 for n, m in zip(size, gradient.shape[2:], strict=True)]
    x = FORWARD(gradient, taps[::-1], down, up, [count - 1 - p0, max(after)], gain)
    if after[0] != after[1]:  # an odd side beside an even one
        x = x[:, :, : size[0], : size[1]]
    return x


def _setup(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    x, *ctx.constants = inputs
    ctx.size = x.shape[2:]


def _backward(ctx: Any, gradient: Tensor) -> tuple[Any, ...]:
    return adjoint(gradient, ctx.size, *ctx.constants), None, None, None, None, None


def _fake(x: Tensor, taps: list[float], up: int, down: int, padding: list[int], gain: float) -> Tensor:
    sides = (length(n, len(taps), up, down, padding) for n in x.shape[2:])
    return x.new_empty(*x.shape[:2], *sides).contiguous(memory_format=torch.channels_last)


def _fused_setup(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    x, bias, scale, taps, padding, filter_gain, *ctx.constants = inputs
    ctx.size, ctx.filter = x.shape[2:], (taps, 1, 1, padding, filter_gain)
    ctx.save_for_backward(output, bias, scale)


def _fused_backward(ctx: Any, gradient: Tensor) -> tuple[Any, ...]:
    y, bias, scale = ctx.saved_tensors
    of_rows, of_bias, of_scale = epilogue.BACKWARD.in_backward(
        as_rows(gradient), as_rows(y), bias, scale, *ctx.constants
    )
    of_x = adjoint(like(of_rows, y), ctx.size, *ctx.filter)
    return of_x, of_bias, None if scale is None else of_scale, *[None] * 6


FORWARD = register(
    "upfirdn",
    "(Tensor x, float[] taps, int up, int down, int[] padding, float gain) -> Tensor",
    definition.upfirdn,
    _fake,
    backward=_backward,
    setup=_setup,
)
FUSED = register(
    "upfirdn_bias_act",
    "(Tensor x, Tensor bias, Tensor? scale, float[] taps, int[] padding, float filter_gain, "
    "float slope, float gain, float bound) -> Tensor",
    definition.upfirdn_bias_act,
    lambda x, bias, scale, taps, padding, filter_gain, *rest: _fake(x, taps, 1, 1, padding, filter_gain),
    backward=_fused_backward,
    setup=_fused_setup,
)

implement("upfirdn", device="cpu")(f"{__name__}.cpu:upfirdn")
implement("upfirdn", device="cuda", requires="triton")(f"{__name__}.triton:upfirdn")
implement("upfirdn_bias_act", device="cpu")(f"{__name__}.cpu:upfirdn_bias_act")
implement("upfirdn_bias_act", device="cuda", requires="triton")(f"{__name__}.triton:upfirdn_bias_act")
