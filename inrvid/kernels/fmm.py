"""Weights of factorised multiplicative modulation (INR-GAN, CVPR 2021, §3.2): one matrix a video.

W' = W ⊙ (1 + L · R),   row o of the result: gain · W'_o / (‖W'_o‖₂ + 1e-8), transposed
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from .batches import multiply, parts, sum_of_rows
from .operation import register

EPSILON = 1e-8


def fmm_weight(weight: Tensor, left: Tensor, right: Tensor, gain: float = 1.0) -> Tensor:
    """weight `[out, in]`, left `[B, out, rank]`, right `[B, rank, in]` → `[B, in, out]`, contiguous.

    In float32 or more: squares of norms may exceed float16.
    """
    return FORWARD(weight, left, right, gain)


def definition(weight: Tensor, left: Tensor, right: Tensor, gain: float) -> Tensor:
    modulated = weight * (1 + left @ right)
    normalised = modulated / (modulated.norm(dim=2, keepdim=True) + EPSILON)
    return (normalised * gain).mT.contiguous()


def cpu(weight: Tensor, left: Tensor, right: Tensor, gain: float) -> Tensor:
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


def backward_definition(
    gradient: Tensor, weight: Tensor, left: Tensor, right: Tensor, gain: float
) -> tuple[Tensor, Tensor, Tensor]:
    """Gradients of weight, left and right, from those of the result."""
    factor = 1 + left @ right  # [B, out, in]
    modulated = weight * factor
    norm = modulated.norm(dim=2, keepdim=True) + EPSILON
    own = gradient.mT * (gain / norm)
    along = (own * modulated).sum(dim=2, keepdim=True) / (norm * (norm - EPSILON).clamp_min(EPSILON))
    of_modulated = own - modulated * along
    of_factor = of_modulated * weight
    return (of_modulated * factor).sum(dim=0), of_factor @ right.mT, left.mT @ of_factor


def backward_cpu(
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


def _setup(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    *tensors, ctx.gain = inputs
    ctx.save_for_backward(*tensors)


def _backward(ctx: Any, gradient: Tensor) -> tuple[Any, ...]:
    run: Any = backward_definition if torch.is_grad_enabled() else BACKWARD
    return *run(gradient, *ctx.saved_tensors, ctx.gain), None


FORWARD = register(
    "fmm_weight",
    "(Tensor weight, Tensor left, Tensor right, float gain) -> Tensor",
    definition,
    cpu,
    lambda weight, left, right, gain: weight.new_empty(len(left), *weight.mT.shape),
    backward=_backward,
    setup=_setup,
)
BACKWARD = register(
    "fmm_weight_backward",
    "(Tensor gradient, Tensor weight, Tensor left, Tensor right, float gain) -> (Tensor, Tensor, Tensor)",
    backward_definition,
    backward_cpu,
    lambda gradient, weight, left, right, gain: tuple(x.new_empty(x.shape) for x in (weight, left, right)),
)
