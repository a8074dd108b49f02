"""Philox and Box and Muller's transform, four numbers a lane; the transform in float64, as the definition has it."""

import torch
import triton
import triton.language as tl
from torch import Tensor

from ..triton_common import launch, power


def normal(keys: Tensor, index: Tensor, width: int) -> Tensor:
    """keys int64 `[B, 4]`, index int64 `[B, M]` → float32 `[B, M, width]`."""
    keys, index = keys.contiguous(), index.contiguous()
    n, rows = index.shape
    values = torch.empty(n, rows, width, dtype=torch.float32, device=keys.device)
    if values.numel() == 0:
        return values
    blocks = triton.cdiv(width, 4)
    bb = power(blocks, 1, 128)
    br = power(n * rows, 1, 256 // bb)
    programs = triton.cdiv(n * rows, br) * triton.cdiv(blocks, bb)
    launch(_normal, programs, keys, index, values, n * rows, rows, width, BR=br, BB=bb)
    return values


@triton.jit
def _normal(keys, index, values, total, rows, width, BR: tl.constexpr, BB: tl.constexpr):
    across = tl.cdiv(tl.cdiv(width, 4), BB)
    row = tl.program_id(0) // across * BR + tl.arange(0, BR)
    block = tl.program_id(0) % across * BB + tl.arange(0, BB)
    known = row < total
    key = keys + row // rows * 4
    zero = tl.zeros((BR, BB), tl.uint32)
    c0 = block[None, :].to(tl.uint32) + zero
    c1 = tl.load(index + row, mask=known, other=0).to(tl.uint32)[:, None] + zero
    c2 = tl.load(key + 2, mask=known, other=0).to(tl.uint32)[:, None] + zero
    c3 = tl.load(key + 3, mask=known, other=0).to(tl.uint32)[:, None] + zero
    k0 = tl.load(key, mask=known, other=0).to(tl.uint32)[:, None] + zero
    k1 = tl.load(key + 1, mask=known, other=0).to(tl.uint32)[:, None] + zero
    c0, c1, c2, c3 = tl.philox_impl(c0, c1, c2, c3, k0, k1, 10)
    cos0, sin0 = polar(c0, c1)
    cos1, sin1 = polar(c2, c3)
    at = values + row.to(tl.int64)[:, None] * width
    column = block[None, :] * 4
    tl.store(at + column, cos0, mask=known[:, None] & (column < width))
    tl.store(at + column + 1, cos1, mask=known[:, None] & (column + 1 < width))
    tl.store(at + column + 2, sin0, mask=known[:, None] & (column + 2 < width))
    tl.store(at + column + 3, sin1, mask=known[:, None] & (column + 3 < width))


@triton.jit
def polar(first, second):
    """Two words → two normal numbers."""
    radius = tl.sqrt(-2.0 * tl.log((first.to(tl.float64) + 0.5) / 4294967296.0))
    angle = 6.283185307179586 * ((second.to(tl.float64) + 0.5) / 4294967296.0)
    return (radius * tl.cos(angle)).to(tl.float32), (radius * tl.sin(angle)).to(tl.float32)
