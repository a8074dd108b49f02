"""Bias, activation and their gradients as one pass over memory.

A program takes a tile of rows × channels: channels lie side by side in memory, so that a tile's loads are whole
lines, and a channel's bias and scale are loaded once a tile. The backward kernel walks down several tiles of one
sample, adding up what its channels' bias and scale receive in registers, and writes one partial sum a program.
"""

import math

import torch
import triton
import triton.language as tl
from torch import Tensor

from ..triton_common import PROGRAMS, activated, launch, power

TILE = 4096
"""Numbers of a tile: 32 a thread, four times what a thread loads at once in half precision."""


def bias_act(x: Tensor, bias: Tensor | None, scale: Tensor | None, slope: float, gain: float, bound: float) -> Tensor:
    """Rows x `[N, M, C]`, bias `[C]`, scale `[N, C]` → `[N, M, C]`."""
    x = x.contiguous()
    y = torch.empty_like(x)
    if x.numel() == 0:
        return y
    n, rows, channels = x.shape
    bc = power(channels, 8, 128)
    bm = TILE // bc
    launch(
        _forward, n * triton.cdiv(rows, bm) * triton.cdiv(channels, bc),
        x, _dense(bias), _dense(scale), y, rows, channels, slope, gain, bound,
        LRELU=slope != 1, CLAMP=not math.isinf(bound), BM=bm, BC=bc,
    )  # fmt: skip
    return y


@triton.jit
def _forward(
    x, bias, scale, y, rows, channels, slope, gain, bound,
    LRELU: tl.constexpr, CLAMP: tl.constexpr, BM: tl.constexpr, BC: tl.constexpr,
):  # fmt: skip
    program = tl.program_id(0)
    across = tl.cdiv(channels, BC)
    down = tl.cdiv(rows, BM)
    n = (program // (across * down)).to(tl.int64)
    m = program // across % down * BM + tl.arange(0, BM)
    c = program % across * BC + tl.arange(0, BC)
    inside = (m < rows)[:, None] & (c < channels)[None, :]
    at = (n * rows + m)[:, None] * channels + c[None, :]
    value = tl.load(x + at, mask=inside).to(tl.float32)
    if scale is not None:
        value *= tl.load(scale + n * channels + c, mask=c < channels).to(tl.float32)[None, :]
    if bias is not None:
        value += tl.load(bias + c, mask=c < channels).to(tl.float32)[None, :]
    value = activated(value, slope, gain, bound, LRELU, CLAMP)
    tl.store(y + at, value.to(y.dtype.element_ty), mask=inside)


def bias_act_backward(
    gradient: Tensor, y: Tensor, bias: Tensor | None, scale: Tensor | None, slope: float, gain: float, bound: float
) -> tuple[Tensor, Tensor, Tensor]:
    """Gradients of x, bias `[C]` and scale `[N, C]` (empty without a scale), from the gradient of y and y itself."""
    gradient, y = gradient.contiguous(), y.contiguous()
    of_x = torch.empty_like(y)
    n, rows, channels = y.shape
    if y.numel() == 0:
        return of_x, y.new_zeros(channels), y.new_zeros(0 if scale is None else scale.shape)
    bc = power(channels, 8, 128)
    bm = TILE // 2 // bc
    across, tiles = triton.cdiv(channels, bc), triton.cdiv(rows, bm)
    steps = max(1, min(tiles, n * across * tiles // PROGRAMS))
    down = triton.cdiv(tiles, steps)
    of_bias = y.new_empty(n, down, channels, dtype=torch.float32)
    of_scale = None if scale is None else torch.empty_like(of_bias)
    limit = math.inf if math.isinf(bound) else float(torch.tensor(bound, dtype=y.dtype))  # as it is found in y
    launch(
        _backward, n * down * across,
        gradient, y, _dense(bias), _dense(scale), of_x, of_bias, of_scale, rows, channels, steps, down,
        slope, gain, limit, LRELU=slope != 1, CLAMP=not math.isinf(bound), BM=bm, BC=bc,
    )  # fmt: skip
    summed = y.new_empty(0) if scale is None or of_scale is None else (of_scale.sum(dim=1) / scale).to(y.dtype)
    return of_x, of_bias.sum(dim=(0, 1)).to(y.dtype), summed


@triton.jit
def _backward(
    gradient, y, bias, scale, of_x, of_bias, of_scale, rows, channels, steps, down, slope, gain, bound,
    LRELU: tl.constexpr, CLAMP: tl.constexpr, BM: tl.constexpr, BC: tl.constexpr,
):  # fmt: skip
    program = tl.program_id(0)
    across = tl.cdiv(channels, BC)
    n = (program // (across * down)).to(tl.int64)
    part = program // across % down
    c = program % across * BC + tl.arange(0, BC)
    known = c < channels
    for_bias = tl.zeros((BM, BC), tl.float32)
    for_scale = tl.zeros((BM, BC), tl.float32)
    for step in range(0, steps):
        m = (part * steps + step) * BM + tl.arange(0, BM)
        inside = (m < rows)[:, None] & known[None, :]
        at = (n * rows + m)[:, None] * channels + c[None, :]
        own = tl.load(gradient + at, mask=inside, other=0.0).to(tl.float32)
        value = tl.load(y + at, mask=inside, other=0.0).to(tl.float32)
        own *= gain
        if LRELU:
            own = tl.where(value > 0, own, own * slope)
        if CLAMP:
            own = tl.where(tl.abs(value) < bound, own, 0.0)
        for_bias += own
        if scale is not None:
            scales = tl.load(scale + n * channels + c, mask=known, other=0.0).to(tl.float32)
            before = value / gain  # scale · x + bias, from y
            if LRELU:
                before = tl.where(value > 0, before, before / slope)
            if bias is not None:
                before -= tl.load(bias + c, mask=known, other=0.0).to(tl.float32)[None, :]
            for_scale += own * before
            own *= scales[None, :]
        tl.store(of_x + at, own.to(of_x.dtype.element_ty), mask=inside)
    sums = (n * down + part) * channels + c
    tl.store(of_bias + sums, tl.sum(for_bias, axis=0), mask=known)
    if scale is not None:
        tl.store(of_scale + sums, tl.sum(for_scale, axis=0), mask=known)


def before_lrelu(gradient: Tensor, y: Tensor, slope: float) -> tuple[Tensor, Tensor]:
    """(gradient of the input from which a leaky ReLU made y `[N, M, C]`, its sum for the bias `[C]`)."""
    if slope == 1:
        return gradient, gradient.sum(dim=(0, 1), dtype=torch.float32).to(y.dtype)
    return bias_act_backward(gradient, y, None, None, slope, 1.0, math.inf)[:2]


def _dense(x: Tensor | None) -> Tensor | None:
    return None if x is None else x.contiguous()
