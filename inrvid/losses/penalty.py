"""The gradient penalty R1 (Mescheder et al., ICML 2018), of any discriminator's heads."""

from __future__ import annotations

import torch
from torch import Tensor

from ..discriminators.base import Augmentation, Discriminator, Tensors
from ..layers.precision import at_least_float32, without_autocast


@without_autocast
def r1_norms(D: Discriminator, frames: Tensor, t: Tensor, label: Tensor, augment: Augmentation) -> Tensors:
    """Squared gradient norms of each head's logits, one per row of its penalty points (a frame, or a pair)."""
    points, inputs = D.penalty_points(frames, t, augment)
    total = torch.stack([at_least_float32(value).sum() for value in D.heads(inputs, t, label).values()]).sum()
    gradients = torch.autograd.grad(total, list(points.values()), create_graph=True)
    return {head: at_least_float32(g).square().flatten(1).sum(dim=1) for head, g in zip(points, gradients, strict=True)}
