"""Relativistic average least squares with targets 1 and 0 (MoCoGAN-HD's release; the loss's original has 1 and −1)."""

from __future__ import annotations

import torch
from torch import Tensor

from inrvid.plugins import Tensors

from ..discriminators.clips import ClipDiscriminator


def apart(better: Tensors, worse: Tensors) -> tuple[Tensor, Tensor]:
    """Σ over heads of mean (b − mean w − 1)² and of mean (w − mean b)². Half their sum is what a discriminator
    minimises with b real and w generated logits, and a generator with them exchanged."""
    above = [(b - worse[head].mean() - 1).square().mean() for head, b in better.items()]
    below = [(w - better[head].mean()).square().mean() for head, w in worse.items()]
    return torch.stack(above).sum(), torch.stack(below).sum()


def half(better: Tensors, worse: Tensors) -> Tensor:
    return torch.stack(apart(better, worse)).sum() / 2


def penalty(D: ClipDiscriminator, real: Tensor, fake: Tensor, alpha: Tensor) -> Tensor:
    """Mean over scales of mean (‖∇‖ − 1)², the gradient of a scale's logits at α·real + (1 − α)·fake clips.

    The norm is over the channels, at each place and time separately (release).

    Args:
        real, fake: frames `[B, n, 3, R, R]`; the pyramid looks at what lies between them.
        alpha: `[B]`, of 0 … 1.
    """
    mixed = D.clip(fake).lerp(D.clip(real), alpha.view(-1, 1, 1, 1, 1)).detach().requires_grad_()
    logits = D.heads(D.at_scales("video", mixed))
    norms = [
        torch.autograd.grad(of_scale.sum(), mixed, create_graph=True)[0].norm(dim=1) for of_scale in logits.values()
    ]
    return torch.stack([(norm - 1).square().mean() for norm in norms]).mean()
