"""Modulated weights in plain PyTorch."""

from __future__ import annotations

from torch import Tensor

EPSILON = 1e-8


def fmm_weight(weight: Tensor, left: Tensor, right: Tensor, gain: float) -> Tensor:
    modulated = weight * (1 + left @ right)
    normalised = modulated / (modulated.norm(dim=2, keepdim=True) + EPSILON)
    return (normalised * gain).mT.contiguous()


def fmm_weight_backward(
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
