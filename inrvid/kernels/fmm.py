"""Weights of factorised multiplicative modulation (INR-GAN, CVPR 2021, §3.2): one matrix a video.

W' = W ⊙ (1 + L · R),   row o of the result: gain · W'_o / (‖W'_o‖₂ + 1e-8), transposed
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from .operation import register

EPSILON = 1e-8


def fmm_weight(weight: Tensor, left: Tensor, right: Tensor, gain: float = 1.0) -> Tensor:
    """weight `[out, in]`, left `[B, out, rank]`, right `[B, rank, in]` → `[B, in, out]`, contiguous."""
    return FORWARD(weight, left, right, gain)


def definition(weight: Tensor, left: Tensor, right: Tensor, gain: float) -> Tensor:
    modulated = weight * (1 + left @ right)
    normalised = modulated / (modulated.norm(dim=2, keepdim=True) + EPSILON)
    return (normalised * gain).mT.contiguous()


def cpu(weight: Tensor, left: Tensor, right: Tensor, gain: float) -> Tensor:
    # Video by video: a batched product rounds differently for other numbers of videos, which training by another
    # number of processes would show.
    result = weight.new_empty(len(left), *weight.mT.shape)
    ones = torch.ones_like(weight)
    for b, out in enumerate(result):
        modulated = torch.addmm(ones, left[b], right[b]).mul_(weight)
        scale = gain / (modulated.norm(dim=1, keepdim=True) + EPSILON)
        torch.mul(modulated.mT, scale.mT, out=out)
    return result


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
    of_weight, of_left, of_right = (torch.zeros_like(x) for x in (weight, left, right))
    ones = torch.ones_like(weight)
    for b in range(len(left)):  # one matrix at a time stays in the cache
        factor = torch.addmm(ones, left[b], right[b])
        modulated = factor * weight
        norm = modulated.norm(dim=1, keepdim=True) + EPSILON
        own = gradient[b].mT.contiguous()
        along = (own * modulated).sum(dim=1, keepdim=True) / (norm * (norm - EPSILON).clamp_min(EPSILON))
        own.addcmul_(modulated, along, value=-1).mul_(gain / norm)
        of_weight.addcmul_(own, factor)
        own *= weight
        torch.mm(own, right[b].mT, out=of_left[b])
        torch.mm(left[b].mT, own, out=of_right[b])
    return of_weight, of_left, of_right


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
