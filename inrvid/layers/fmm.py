"""Factorised multiplicative modulation of a pointwise layer (INR-GAN, CVPR 2021, §3.2)."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from ..kernels.fmm import fmm_weight
from .activation import GAIN
from .linear import StyleAffine


class FMMLinear(nn.Module):
    """A pointwise layer whose matrix is modulated by the style with a matrix of rank q.

    W' = normalise(W ⊙ (1 + L·R/√q)), L `[out, q]` and R `[q, in]` affine in w, each output row divided by its
    L2 norm. W' depends on the video alone: `modulated` makes one matrix per video.
    """

    def __init__(self, in_features: int, out_features: int, w_dim: int, *, rank: int):
        super().__init__()
        self.rank = rank
        self.weight = nn.Parameter(torch.randn(out_features, in_features))
        self.bias = nn.Parameter(torch.zeros(out_features))
        self.affine = StyleAffine(w_dim, (in_features + out_features) * rank)

    def modulated(self, w: Tensor) -> Tensor:
        """w `[B, w_dim]` → weight `[B, in, out]`: transposed, as rows of features multiply it from the left.

        It carries the gain √2 of the activation that follows, as `scaled_bias` does.
        """
        out_features, in_features = self.weight.shape
        left, right = self.affine(w).split([out_features * self.rank, in_features * self.rank], dim=1)
        left = left.unflatten(1, (out_features, self.rank)) / math.sqrt(self.rank)
        return fmm_weight(self.weight, left, right.unflatten(1, (self.rank, in_features)), GAIN)

    @property
    def scaled_bias(self) -> Tensor:
        return self.bias * GAIN
