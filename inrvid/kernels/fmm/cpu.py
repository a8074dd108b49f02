"""Modulated weights of a few videos at a time, transposed as the result is."""

from __future__ import annotations

import torch
from torch import Tensor

from ..batches import multiply, parts, sum_of_rows
from .definition import EPSILON


def fmm_weight(weight: Tensor, left: Tensor, right: Tensor, gain: float) -> Tensor:
    transposed = weight.mT.contiguous()
    result = weight.new_empty(len(left), *transposed.shape)
    for videos in parts(len(left), weight.numel(), PIECE):
        out = result[videos]
        _write_factors(left[videos], right[videos], out)
        out *= transposed
        out *= gain / (_norm(out) + EPSILON)
    return result


PIECE = 1 << 18
"""Numbers that the CPU handles at a time."""


def _write_factors(left: Tensor, right: Tensor, out: Tensor) -> None:
    """out `[B, in, out]` ← 1 + (L · R)ᵀ: as the result lies in memory."""
    multiply(right.mT, left.mT, out.new_ones(out.shape[2]), out)


def _norm(columns: Tensor) -> Tensor:
    """`[B, 1, out]`, of columns `[B, in, out]`; PyTorch's own takes several times as long along this axis."""
    return sum_of_rows(columns.square(), 1).sqrt_()[:, None]


def fmm_weight_backward(
    gradient: Tensor, weight: Tensor, left: Tensor, right: Tensor, gain: float
) -> tuple[Tensor, Tensor, Tensor]:
    transposed = weight.mT.contiguous()
    of_weight = torch.zeros_like(transposed)
    left = left.mT.contiguous()  # products with ten columns are several times slower than with ten rows
    of_left, of_right = torch.empty_like(left), right.new_empty(right.shape)
    for videos in parts(len(left), weight.numel(), PIECE):
        factor = weight.new_empty(len(left[videos]), *transposed.shape)
        _write_factors(left[videos].mT, right[videos], factor)
        modulated = factor * transposed
        norm = _norm(modulated) + EPSILON
        along = sum_of_rows(gradient[videos] * modulated, 1)[:, None]
        along /= norm * (norm - EPSILON).clamp_min(EPSILON)
        own = modulated.mul_(-along).add_(gradient[videos]).mul_(gain / norm)
        of_weight += factor.mul_(own).sum(dim=0)
        own *= transposed
        multiply(right[videos], own, None, of_left[videos])
        multiply(left[videos], own.mT, None, of_right[videos])
    return of_weight.mT, of_left.mT, of_right
