"""ToRGB of both generators: features → pictures, summed over the resolutions (StyleGAN2, CVPR 2020, §4.1)."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from ..kernels.to_rgb import to_rgb
from .half import outside, to_outside
from .linear import StyleAffine


class ToRGB(nn.Module):
    """A pointwise layer modulated by scaling its inputs, without demodulation."""

    def __init__(self, in_channels: int, w_dim: int):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(3, in_channels))
        self.bias = nn.Parameter(torch.zeros(3))
        self.affine = StyleAffine(w_dim, in_channels, bias_init=1)

    def modulated(self, w: Tensor) -> Tensor:
        """w `[B, w_dim]` → weight `[B, in, 3]`."""
        style = self.affine(w) / math.sqrt(self.weight.shape[1])
        return style[:, :, None] * self.weight.mT


def add_rgb(x: Tensor, weight: Tensor, bias: Tensor, rgb: Tensor | None) -> Tensor:
    """Features x `[B, T, H, W, C]` in any precision, times `weight` `[B, C, 3]`, plus `bias` and the sum so far.

    The sum, `[B, T, H, W, 3]` or half as large (which is doubled by nearest neighbour), stays in the parameters'
    precision.
    """
    weight, bias = outside(weight, x.dtype), outside(bias, x.dtype)
    rgb = None if rgb is None else outside(rgb, x.dtype)
    return to_outside(to_rgb(x, weight, bias, rgb), x.dtype)
