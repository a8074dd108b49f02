"""A factor for each channel of each sample, and both gradients in one pass over memory."""

import math

import torch
import triton
import triton.language as tl
from torch import Tensor

from ..bias_act.triton import TILE, bias_act
from ..triton_common import PROGRAMS, launch, power


def modulate(x: Tensor, style: Tensor) -> Tensor:
    """Rows x `[N, M, C]`, style `[N, C]` → `[N, M, C]`."""
    return bias_act(x, None, style, 1.0, 1.0, math.inf)


def modulate_backward(gradient: Tensor, x: Tensor, style: Tensor) -> tuple[Tensor, Tensor]:
    """Gradients of x and style."""
    gradient, x = gradient.contiguous(), x.contiguous()
    of_x = torch.empty_like(x)
    n, rows, channels = x.shape
    if x.numel() == 0:
        return of_x, style.new_zeros(style.shape)
    bc = power(channels, 8, 128)
    bm = TILE // 2 // bc
    across, tiles = triton.cdiv(channels, bc), triton.cdiv(rows, bm)
    steps = max(1, min(tiles, n * across * tiles // PROGRAMS))
    down = triton.cdiv(tiles, steps)
    sums = x.new_empty(n, down, channels, dtype=torch.float32)
    launch(
        _backward, n * down * across,
        gradient, x, style.contiguous(), of_x, sums, rows, channels, steps, down, BM=bm, BC=bc,
    )  # fmt: skip
    return of_x, sums.sum(dim=1).to(style.dtype)


@triton.jit
def _backward(gradient, x, style, of_x, sums, rows, channels, steps, down, BM: tl.constexpr, BC: tl.constexpr):
    program = tl.program_id(0)
    across = tl.cdiv(channels, BC)
    n = (program // (across * down)).to(tl.int64)
    part = program // across % down
    c = program % across * BC + tl.arange(0, BC)
    known = c < channels
    factor = tl.load(style + n * channels + c, mask=known, other=0.0).to(tl.float32)[None, :]
    total = tl.zeros((BM, BC), tl.float32)
    for step in range(0, steps):
        m = (part * steps + step) * BM + tl.arange(0, BM)
        inside = (m < rows)[:, None] & known[None, :]
        at = (n * rows + m)[:, None] * channels + c[None, :]
        own = tl.load(gradient + at, mask=inside, other=0.0).to(tl.float32)
        total += own * tl.load(x + at, mask=inside, other=0.0).to(tl.float32)
        tl.store(of_x + at, (own * factor).to(of_x.dtype.element_ty), mask=inside)
    tl.store(sums + (n * down + part) * channels + c, tl.sum(total, axis=0), mask=known)
