"""Interpolation between two Gaussian vectors along a sphere, on which nearly all of a Gaussian lies."""

from __future__ import annotations

import torch
from torch import Tensor

PARALLEL = 1e-4
"""Sine of the angle below which a straight line gives the same."""


def slerp(first: Tensor, second: Tensor, weight: float) -> Tensor:
    """Vectors `[…, n]` at `weight` of the angle Ω between them:

        (sin((1 − weight)·Ω)·first + sin(weight·Ω)·second) / sin Ω     (Shoemake, SIGGRAPH 1985)

    Of independent N(0, 1) vectors the result is nearly N(0, 1); equal ones stay as they are. Linear where Ω is 0 or π.
    """
    a, b = first.double(), second.double()
    cosine = (a * b).sum(-1, keepdim=True) / (a.norm(dim=-1, keepdim=True) * b.norm(dim=-1, keepdim=True)).clamp(1e-12)
    angle = cosine.clamp(-1, 1).acos()
    sine = angle.sin()
    along = (((1 - weight) * angle).sin() * a + (weight * angle).sin() * b) / sine.clamp(min=PARALLEL)
    return torch.where(sine > PARALLEL, along, a.lerp(b, weight)).to(first.dtype)
