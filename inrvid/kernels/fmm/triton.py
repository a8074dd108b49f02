"""Factorised multiplicative modulation: a program makes some rows of one video's matrix.

It walks along the inputs twice, for the rows' norms and for the result, and makes the modulated weight anew rather
than keep or write it: the factors are small and stay in the cache.
"""

import triton
import triton.language as tl
from torch import Tensor

from ..triton_common import launch, power
from .definition import EPSILON


def fmm_weight(weight: Tensor, left: Tensor, right: Tensor, gain: float) -> Tensor:
    """weight `[out, in]`, left `[B, out, rank]`, right `[B, rank, in]` → `[B, in, out]`."""
    (outputs, inputs), (n, _, rank) = weight.shape, left.shape
    result = weight.new_empty(n, inputs, outputs)
    if result.numel() == 0:
        return result
    bo, bi = power(outputs, 4, 16), power(inputs, 16, 128)
    launch(
        _modulate, n * triton.cdiv(outputs, bo),
        weight.contiguous(), left.contiguous(), right.contiguous(), result, outputs, inputs, rank, gain, EPSILON,
        BO=bo, BI=bi,
    )  # fmt: skip
    return result


@triton.jit
def _modulate(
    weight, left, right, result, outputs, inputs, rank, gain, epsilon, BO: tl.constexpr, BI: tl.constexpr
):  # fmt: skip
    tiles = tl.cdiv(outputs, BO)
    b = (tl.program_id(0) // tiles).to(tl.int64)
    o = tl.program_id(0) % tiles * BO + tl.arange(0, BO)
    left += (b * outputs + o) * rank
    right += b * rank * inputs
    squares = tl.zeros((BO, BI), tl.float32)
    for start in range(0, inputs, BI):
        values = modulated(weight, left, right, o, start + tl.arange(0, BI), outputs, inputs, rank, BO, BI)
        squares += values * values
    factor = gain / (tl.sqrt(tl.sum(squares, axis=1)) + epsilon)
    for start in range(0, inputs, BI):
        i = start + tl.arange(0, BI)
        values = modulated(weight, left, right, o, i, outputs, inputs, rank, BO, BI) * factor[:, None]
        at = (b * inputs + i)[None, :] * outputs + o[:, None]
        tl.store(result + at, values.to(result.dtype.element_ty), mask=(o < outputs)[:, None] & (i < inputs)[None, :])


@triton.jit
def modulated(weight, left, right, o, i, outputs, inputs, rank, BO: tl.constexpr, BI: tl.constexpr):
    """weight ⊙ (1 + left · right) of rows o and columns i; `left` at rows o already."""
    factor = tl.zeros((BO, BI), tl.float32) + 1.0
    for r in range(0, rank):
        of_row = tl.load(left + r, mask=o < outputs, other=0.0).to(tl.float32)
        of_column = tl.load(right + r * inputs + i, mask=i < inputs, other=0.0).to(tl.float32)
        factor += of_row[:, None] * of_column[None, :]
    inside = (o < outputs)[:, None] & (i < inputs)[None, :]
    return factor * tl.load(weight + o[:, None] * inputs + i[None, :], mask=inside, other=0.0).to(tl.float32)
