"""The filter along one axis: a program takes a tile of a plane's results; neighbours' inputs come from the cache.

A result visits only the taps that meet no inserted zero: every up-th.
"""

import torch
import triton
import triton.language as tl
from torch import Tensor

from ..triton_common import launch, on_device, power
from .definition import length

TILE = 1024
"""Numbers of a tile: 8 a thread."""


def fir(x: Tensor, taps: list[float], axis: int, up: int, down: int, padding: list[int], gain: float) -> Tensor:
    """Planes `[N, H, W]`, filtered along axis 1 or 2."""
    x = x.contiguous()
    shape = list(x.shape)
    shape[axis] = length(shape[axis], len(taps), up, down, padding)
    y = torch.empty(shape, dtype=x.dtype, device=x.device)
    if x.numel() == 0 or y.numel() == 0:
        return y.zero_()
    n, h, w = shape
    bw = power(w, 16, 64 if axis == 1 else 512)  # along rows, neighbours share what they load
    bh = TILE // bw
    launch(
        _fir, n * triton.cdiv(h, bh) * triton.cdiv(w, bw),
        x, on_device(tuple(taps), x.device), y, x.shape[1], x.shape[2], h, w, padding[0], gain,
        AXIS=axis, TAPS=len(taps), UP=up, DOWN=down, BH=bh, BW=bw,
    )  # fmt: skip
    return y


@triton.jit
def _fir(
    x, taps, y, in_h, in_w, out_h, out_w, before, gain,
    AXIS: tl.constexpr, TAPS: tl.constexpr, UP: tl.constexpr, DOWN: tl.constexpr, BH: tl.constexpr, BW: tl.constexpr,
):  # fmt: skip
    program = tl.program_id(0)
    across = tl.cdiv(out_w, BW)
    tall = tl.cdiv(out_h, BH)
    n = (program // (across * tall)).to(tl.int64)
    h = program // across % tall * BH + tl.arange(0, BH)
    w = program % across * BW + tl.arange(0, BW)
    plane = x + n * in_h * in_w
    start = (h if AXIS == 1 else w) * DOWN - before  # among the inputs with their zeros
    first = (UP - (start % UP + UP) % UP) % UP  # its first tap that meets an input
    size = in_h if AXIS == 1 else in_w
    total = tl.zeros((BH, BW), tl.float32)
    for i in tl.static_range(0, (TAPS + UP - 1) // UP):
        tap = first + i * UP
        at = (start + tap) // UP
        inside = (tap < TAPS) & (start + tap >= 0) & (at < size)
        factor = tl.load(taps + tap, mask=tap < TAPS, other=0.0)
        if AXIS == 1:
            where = at[:, None] * in_w + w[None, :]
            values = tl.load(plane + where, mask=inside[:, None] & (w < in_w)[None, :], other=0.0)
            total += factor[:, None] * values.to(tl.float32)
        else:
            where = h[:, None] * in_w + at[None, :]
            values = tl.load(plane + where, mask=(h < in_h)[:, None] & inside[None, :], other=0.0)
            total += factor[None, :] * values.to(tl.float32)
    where = (n * out_h + h)[:, None] * out_w + w[None, :]
    tl.store(y + where, (total * gain).to(y.dtype.element_ty), mask=(h < out_h)[:, None] & (w < out_w)[None, :])
