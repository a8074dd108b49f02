"""The warp's first and second derivatives, which R1 through an augmentation needs."""

from __future__ import annotations

import torch

from inrvid.augment import transforms as tf
from inrvid.augment.warp import warp


def small_warp(x):
    """Turned, scaled and moved, each of two pictures its own way."""
    angle, factor, shift = torch.tensor([0.4, -2.0]), torch.tensor([0.8, 1.3]), torch.tensor([1.7, -0.4])
    return warp(x, tf.translation(shift, -shift) @ tf.rotation(angle) @ tf.scaling(factor, 1 / factor))


def test_gradient_and_second_gradient():
    x = torch.rand(2, 1, 8, 9, dtype=torch.float64, generator=torch.Generator().manual_seed(0)).requires_grad_()
    torch.autograd.gradcheck(small_warp, x)
    torch.autograd.gradgradcheck(lambda x: small_warp(x).sin(), x)  # the warp alone is linear
