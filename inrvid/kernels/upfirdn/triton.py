"""The resampling filter over channels-last maps, alone or with a layer's epilogue, in one read and one write.

A program takes a tile of output pixels × channels. The pixels form a rectangle and share most of their inputs, so that
the filter's repeated reads are served by the cache; channels lie side by side in memory. A pixel visits only the taps
that meet no inserted zero: every up-th.

Without upsampling, the filter of 4 taps is separable work: a program marches down some rows, filters each row of the
input once along it, keeps the last four, and makes a row of the result from them.
"""

import math

import torch
import triton
import triton.language as tl
from torch import Tensor

from ..triton_common import activated, launch, on_device, power

TILE = 4096
"""Numbers of a tile: 32 a thread."""

MARCH = 8
"""Rows of the result that a program makes one after another."""


def upfirdn(x: Tensor, taps: list[float], up: int, down: int, padding: list[int], gain: float) -> Tensor:
    """`[N, C, H, W]` → `[N, C, (up·H + p0 + p1 − taps)/down + 1, …]`, channels-last."""
    return _run(x, taps, up, down, padding, gain, None, None, 1.0, 1.0, math.inf)


def upfirdn_bias_act(
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
    """The same without up- or downsampling; then scale `[N, C]`, bias `[C]`, leaky ReLU, gain and clamp."""
    scale = None if scale is None else scale.contiguous()
    return _run(x, taps, 1, 1, padding, filter_gain, bias.contiguous(), scale, slope, gain, bound)


def _run(
    x: Tensor,
    taps: list[float],
    up: int,
    down: int,
    padding: list[int],
    filter_gain: float,
    bias: Tensor | None,
    scale: Tensor | None,
    slope: float,
    gain: float,
    bound: float,
) -> Tensor:
    x = x.contiguous(memory_format=torch.channels_last)
    n, channels, *size = x.shape
    h, w = ((length * up + sum(padding) - len(taps)) // down + 1 for length in size)
    y = torch.empty(n, channels, h, w, dtype=x.dtype, device=x.device, memory_format=torch.channels_last)
    if x.numel() == 0 or y.numel() == 0:
        return y.zero_()
    bc = power(channels, 8, 64)
    taps_there = on_device(tuple(taps), x.device)
    if up == 1 and down <= 2 and len(taps) == 4:
        bx = power(w, 1, TILE // (4 if down == 1 else 2) // bc)
        launch(
            _march, n * triton.cdiv(h, MARCH) * triton.cdiv(w, bx) * triton.cdiv(channels, bc),
            x, taps_there, bias, scale, y, *size, h, w, channels, padding[0], filter_gain, slope, gain, bound,
            DOWN=down, LRELU=slope != 1, CLAMP=not math.isinf(bound), ROWS=MARCH, BX=bx, BC=bc,
        )  # fmt: skip
        return y
    bx = min(16, TILE // bc)
    by = min(TILE // bc, 128) // bx
    launch(
        _filter, n * triton.cdiv(h, by) * triton.cdiv(w, bx) * triton.cdiv(channels, bc),
        x, taps_there, bias, scale, y, *size, h, w, channels, padding[0], filter_gain, slope, gain, bound,
        TAPS=len(taps), UP=up, DOWN=down, LRELU=slope != 1, CLAMP=not math.isinf(bound), BY=by, BX=bx, BC=bc,
    )  # fmt: skip
    return y


@triton.jit
def _filter(
    x, taps, bias, scale, y, in_h, in_w, out_h, out_w, channels, before, filter_gain, slope, gain, bound,
    TAPS: tl.constexpr, UP: tl.constexpr, DOWN: tl.constexpr, LRELU: tl.constexpr, CLAMP: tl.constexpr,
    BY: tl.constexpr, BX: tl.constexpr, BC: tl.constexpr,
):  # fmt: skip
    program = tl.program_id(0)
    deep = tl.cdiv(channels, BC)
    across = tl.cdiv(out_w, BX)
    down = tl.cdiv(out_h, BY)
    c = program % deep * BC + tl.arange(0, BC)
    known = c < channels
    tile = program // deep
    n = (tile // (across * down)).to(tl.int64)
    pixel = tl.arange(0, BY * BX)
    oy = tile // across % down * BY + pixel // BX
    ox = tile % across * BX + pixel % BX
    # Where the filter starts, among the inputs with their zeros, and its first tap that meets an input.
    y0 = oy * DOWN - before
    x0 = ox * DOWN - before
    first_y = (UP - (y0 % UP + UP) % UP) % UP
    first_x = (UP - (x0 % UP + UP) % UP) % UP
    total = tl.zeros((BY * BX, BC), tl.float32)
    for i in range(0, (TAPS + UP - 1) // UP):
        tap_y = first_y + i * UP
        iy = (y0 + tap_y) // UP
        row_inside = (tap_y < TAPS) & (y0 + tap_y >= 0) & (iy < in_h)
        of_row = tl.load(taps + tap_y, mask=tap_y < TAPS, other=0.0)
        for j in tl.static_range(0, (TAPS + UP - 1) // UP):
            tap_x = first_x + j * UP
            ix = (x0 + tap_x) // UP
            inside = row_inside & (tap_x < TAPS) & (x0 + tap_x >= 0) & (ix < in_w)
            tap = of_row * tl.load(taps + tap_x, mask=tap_x < TAPS, other=0.0)
            at = ((n * in_h + iy) * in_w + ix) * channels
            values = tl.load(x + at[:, None] + c[None, :], mask=inside[:, None] & known[None, :], other=0.0)
            total += tap[:, None] * values.to(tl.float32)
    total *= filter_gain
    if scale is not None:
        total *= tl.load(scale + n * channels + c, mask=known, other=0.0).to(tl.float32)[None, :]
    if bias is not None:
        total += tl.load(bias + c, mask=known, other=0.0).to(tl.float32)[None, :]
    total = activated(total, slope, gain, bound, LRELU, CLAMP)
    inside = (oy < out_h) & (ox < out_w)
    at = ((n * out_h + oy) * out_w + ox) * channels
    tl.store(y + at[:, None] + c[None, :], total.to(y.dtype.element_ty), mask=inside[:, None] & known[None, :])


@triton.jit
def _march(
    x, taps, bias, scale, y, in_h, in_w, out_h, out_w, channels, before, filter_gain, slope, gain, bound,
    DOWN: tl.constexpr, LRELU: tl.constexpr, CLAMP: tl.constexpr,
    ROWS: tl.constexpr, BX: tl.constexpr, BC: tl.constexpr,
):  # fmt: skip
    program = tl.program_id(0)
    deep = tl.cdiv(channels, BC)
    across = tl.cdiv(out_w, BX)
    down = tl.cdiv(out_h, ROWS)
    c = program % deep * BC + tl.arange(0, BC)
    known = c < channels
    ox = program // deep % across * BX + tl.arange(0, BX)
    n = (program // (deep * across * down)).to(tl.int64)
    first = program // (deep * across) % down * ROWS
    tap0 = tl.load(taps)
    tap1 = tl.load(taps + 1)
    tap2 = tl.load(taps + 2)
    tap3 = tl.load(taps + 3)
    factor = tl.zeros((BC,), tl.float32) + filter_gain
    if scale is not None:
        factor *= tl.load(scale + n * channels + c, mask=known, other=0.0).to(tl.float32)
    offset = tl.zeros((BC,), tl.float32)
    if bias is not None:
        offset += tl.load(bias + c, mask=known, other=0.0).to(tl.float32)
    maps = x + n * in_h * in_w * channels
    x0 = ox * DOWN - before
    iy = first * DOWN - before
    row0 = filtered(maps, taps, iy, x0, c, in_h, in_w, channels, BX, BC)
    row1 = filtered(maps, taps, iy + 1, x0, c, in_h, in_w, channels, BX, BC)
    if DOWN == 1:
        row2 = filtered(maps, taps, iy + 2, x0, c, in_h, in_w, channels, BX, BC)
    for step in range(0, ROWS):
        oy = first + step
        if DOWN == 1:
            row3 = filtered(maps, taps, iy + step + 3, x0, c, in_h, in_w, channels, BX, BC)
            total = tap0 * row0 + tap1 * row1 + tap2 * row2 + tap3 * row3
            row0 = row1
            row1 = row2
            row2 = row3
        else:
            row2 = filtered(maps, taps, iy + 2 * step + 2, x0, c, in_h, in_w, channels, BX, BC)
            row3 = filtered(maps, taps, iy + 2 * step + 3, x0, c, in_h, in_w, channels, BX, BC)
            total = tap0 * row0 + tap1 * row1 + tap2 * row2 + tap3 * row3
            row0 = row2
            row1 = row3
        total = activated(total * factor[None, :] + offset[None, :], slope, gain, bound, LRELU, CLAMP)
        at = ((n * out_h + oy) * out_w + ox) * channels
        inside = (ox < tl.where(oy < out_h, out_w, 0))[:, None] & known[None, :]
        tl.store(y + at[:, None] + c[None, :], total.to(y.dtype.element_ty), mask=inside)


@triton.jit
def filtered(maps, taps, iy, x0, c, in_h, in_w, channels, BX: tl.constexpr, BC: tl.constexpr):
    """A row of the input, filtered along it: `[BX, BC]`, 0 outside the map."""
    total = tl.zeros((BX, BC), tl.float32)
    end = tl.where((iy >= 0) & (iy < in_h), in_w, 0)
    for i in tl.static_range(0, 4):
        ix = x0 + i
        inside = (ix >= 0) & (ix < end)
        at = (iy.to(tl.int64) * in_w + ix) * channels
        values = tl.load(maps + at[:, None] + c[None, :], mask=inside[:, None] & (c < channels)[None, :], other=0.0)
        total += tl.load(taps + i) * values.to(tl.float32)
    return total
