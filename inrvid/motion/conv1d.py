"""StyleGAN-V's motion codes: two unpadded 1-D convolutions over the motion noise (CVPR 2022, §3.1, eqs. 2–5)."""

from __future__ import annotations

import math
from typing import Annotated

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from ..config import MOST
from ..layers.activation import SLOPE
from .codes import CodeNetwork, CodesMotion

LR_MULT = 0.01


class EqConv1d(nn.Module):
    """`[N, in, n]` → `[N, out, n − kernel + 1]`, leaky ReLU 0.2 without gain; learning rate × 0.01."""

    def __init__(self, in_channels: int, out_channels: int, kernel: int):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(out_channels, in_channels, kernel).div_(LR_MULT))
        self.bias = nn.Parameter(torch.zeros(out_channels))
        self.gain = LR_MULT / math.sqrt(in_channels * kernel)

    def forward(self, x: Tensor) -> Tensor:
        x = x * self.gain  # rather than the weight, which is larger
        return F.leaky_relu(F.conv1d(x, self.weight, self.bias * LR_MULT), SLOPE)


class Conv1dCodes(CodeNetwork):
    """z_dim + label_dim → z_dim → code_dim; code i sees the noises i … i + 2(kernel − 1)."""

    def __init__(self, config: Conv1dMotion.Config, *, z_dim: int, label_dim: int):
        super().__init__()
        self.reach = 2 * config.kernel - 1
        self.layers = nn.Sequential(
            EqConv1d(z_dim + label_dim, z_dim, config.kernel), EqConv1d(z_dim, config.code_dim, config.kernel)
        )

    def forward(self, noise: Tensor) -> Tensor:
        return self.layers(noise.mT).mT


class Conv1dMotion(CodesMotion):
    """Motion codes by 1-D convolutions over noise, acyclic positional encoding between them.

        u_i  = lrelu(K₂ ∗ lrelu(K₁ ∗ z))_i
        e(τ) = [sin ‖ cos](ω·s·τ + ρ)
        s    = tanh(W_ω u_ℓ) + 1,   ρ = (W_ρ u_ℓ)·(max_period / period)
        v(t) = e(t) − lerp(e(t_ℓ), e(t_r), α) + lerp(W_a u_ℓ, W_a u_r, α)

    Code i lies at time i·δ and depends on the noises i … i + 2·(kernel − 1); u_ℓ and u_r are the codes before and after
    t, and α = (t − t_ℓ)/δ. The wave vanishes at the codes: v is continuous, and never repeats.
    """

    source = "StyleGAN-V (CVPR 2022) §3.1, eqs. 2–5"

    class Config(CodesMotion.Config):
        kernel: Annotated[int, Field(ge=1, le=MOST)] = Field(
            11, description="kernel size of each of the two convolutions, in codes"
        )

    network_class = Conv1dCodes
