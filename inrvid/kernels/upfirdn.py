"""Upsample, filter, downsample (the StyleGAN family's resampling), and the same with a layer's epilogue.

Zeros between samples (`up`), zeros around, a separable FIR filter, every `down`-th result. It is linear, and its
adjoint is another of the same kind, so that it is differentiable as often as one likes.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from . import bias_act as epilogue
from .bias_act import NO_BOUND, SLOPE
from .operation import register

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
    scale = epilogue.of_samples(scale, len(x))
    return FUSED(x, bias, scale, list(taps), list(padding), filter_gain, slope, gain, bound)


def definition(x: Tensor, taps: list[float], up: int, down: int, padding: list[int], gain: float) -> Tensor:
    n, c, h, w = x.shape
    zeros = x.new_zeros(n, c, h, up, w, up)
    zeros[:, :, :, 0, :, 0] = x
    x = F.pad(zeros.view(n, c, h * up, w * up), [*padding, *padding])
    axis = torch.tensor(taps, dtype=x.dtype).to(x.device, non_blocking=True)
    kernel = (torch.outer(axis, axis) * gain).expand(c, 1, -1, -1)
    return F.conv2d(x, kernel, stride=down, groups=c).contiguous(memory_format=torch.channels_last)


def cpu(x: Tensor, taps: list[float], up: int, down: int, padding: list[int], gain: float) -> Tensor:
    size, c = len(taps), x.shape[1]
    x = _channels_last(x)
    if x.numel() == 0 or (up > 1 and down > 1):
        return definition(x, taps, up, down, padding, gain)
    p0, p1 = padding
    if up == 1:
        if p0 != p1 or p0 < 0:
            x, p0 = _channels_last(F.pad(x, [p0, p1, p0, p1])), 0
        return F.conv2d(x, _kernel(tuple(taps), gain, c, x.dtype), None, down, p0, groups=c)
    kernel = _kernel(tuple(reversed(taps)), gain, c, x.dtype)
    before, after = size - 1 - p0, size - up - p1  # what a transposed convolution writes beyond the result
    crop = max(0, min(before, after))
    y = F.conv_transpose2d(x, kernel, None, up, crop, groups=c)
    if before != crop or after != crop:
        edge = [crop - before, crop - after]
        y = F.pad(y, [*edge, *edge])
    return _channels_last(y)


def _channels_last(x: Tensor) -> Tensor:
    return x.contiguous(memory_format=torch.channels_last)


@functools.lru_cache(maxsize=64)
def _kernel(taps: tuple[float, ...], gain: float, channels: int, dtype: torch.dtype) -> Tensor:
    """`[channels, 1, taps, taps]`, made once: in small networks it took as long as the convolution."""
    with torch.inference_mode(False):  # or the first to ask could keep it from all others
        axis = torch.tensor(taps, dtype=torch.float64, device="cpu")
        return (torch.outer(axis, axis) * gain).to(dtype).repeat(channels, 1, 1, 1)


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


def _length(n: int, taps: int, up: int, down: int, padding: list[int]) -> int:
    return (n * up + sum(padding) - taps) // down + 1


def _fake(x: Tensor, taps: list[float], up: int, down: int, padding: list[int], gain: float) -> Tensor:
    sides = (_length(n, len(taps), up, down, padding) for n in x.shape[2:])
    return x.new_empty(*x.shape[:2], *sides).contiguous(memory_format=torch.channels_last)


FORWARD = register(
    "upfirdn",
    "(Tensor x, float[] taps, int up, int down, int[] padding, float gain) -> Tensor",
    definition,
    cpu,
    _fake,
    backward=_backward,
    setup=_setup,
)


def fused_definition(
    x: Tensor,
    bias: Tensor,
    scale: Tensor | None,
    taps: list[float],
    padding: list[int],
    filter_gain: float,
    slope: float,
    gain: float,
    bound: float,
) -> Tensor:
    filtered = definition(x, taps, 1, 1, padding, filter_gain)
    return epilogue.like(epilogue.definition(epilogue.as_rows(filtered), bias, scale, slope, gain, bound), filtered)


def fused_cpu(
    x: Tensor,
    bias: Tensor,
    scale: Tensor | None,
    taps: list[float],
    padding: list[int],
    filter_gain: float,
    slope: float,
    gain: float,
    bound: float,
) -> Tensor:
    rest: Tensor | None = bias
    if scale is None and gain == 1 and padding[0] == padding[1] >= 0 and x.numel():
        kernel = _kernel(tuple(taps), filter_gain, len(bias), x.dtype)
        y = F.conv2d(_channels_last(x), kernel, bias, padding=padding[0], groups=len(bias))
        rest = None
    else:
        y = cpu(x, taps, 1, 1, padding, filter_gain)
    rows = epilogue.as_rows(y)
    epilogue.write(rows, rest, scale, slope, gain, bound, rows)
    return epilogue.like(rows, y)


def _fused_setup(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    x, bias, scale, taps, padding, filter_gain, *ctx.constants = inputs
    ctx.size, ctx.filter = x.shape[2:], (taps, 1, 1, padding, filter_gain)
    ctx.save_for_backward(output, bias, scale)


def _fused_backward(ctx: Any, gradient: Tensor) -> tuple[Any, ...]:
    y, bias, scale = ctx.saved_tensors
    run: Any = epilogue.backward_definition if torch.is_grad_enabled() else epilogue.BACKWARD
    of_rows, of_bias, of_scale = run(epilogue.as_rows(gradient), epilogue.as_rows(y), bias, scale, *ctx.constants)
    of_x = adjoint(epilogue.like(of_rows, y), ctx.size, *ctx.filter)
    return of_x, of_bias, None if scale is None else of_scale, *[None] * 6


FUSED = register(
    "upfirdn_bias_act",
    "(Tensor x, Tensor bias, Tensor? scale, float[] taps, int[] padding, float filter_gain, "
    "float slope, float gain, float bound) -> Tensor",
    fused_definition,
    fused_cpu,
    lambda x, bias, scale, taps, padding, filter_gain, *rest: _fake(x, taps, 1, 1, padding, filter_gain),
    backward=_fused_backward,
    setup=_fused_setup,
)
