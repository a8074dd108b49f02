"""One motion vector a video (DIGAN §3.2).

g = affine(w ‖ z_M) is the direction in which the phases of the coordinate embedding move; the motion term is
m(t) = f_M(g·σt·τ), with τ = t / (clip_length − 1), and f_M(u) = EqLinear(lrelu(EqLinear(lrelu_0.01(u)))).
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..layers.linear import EqLinear
from ..random import Draws
from .base import Motion, MotionHead
from .configs import GlobalConfig


class GlobalState(NamedTuple):
    noise: Tensor
    """z_M, `[B, z_dim]`."""
    tau: Tensor
    """Time in unit clip length, `[B, T]`."""


class GlobalMotion(Motion):
    Config = GlobalConfig
    config: GlobalConfig

    def sample_noise(self, draws: Draws) -> Tensor:
        return draws.normal(self.z_dim)

    def head(self, width: int, w_dim: int) -> MotionHead:
        return GlobalHead(self.config, width=width, w_dim=w_dim, z_dim=self.z_dim)

    def forward(self, noise: Tensor, label: Tensor, t: Tensor) -> GlobalState:
        return GlobalState(noise, (t.double() / (self.clip_length - 1)).to(noise.dtype))


class GlobalHead(MotionHead):
    def __init__(self, config: GlobalConfig, *, width: int, w_dim: int, z_dim: int):
        super().__init__()
        self.config, self.width = config, width
        self.affine = EqLinear(w_dim * config.content + z_dim * config.noise, width)
        self.mlp = (
            nn.Sequential(EqLinear(width, width, activate=True), EqLinear(width, width)) if config.nonlinear else None
        )

    def forward(self, state: GlobalState, w: Tensor) -> Tensor:
        inputs = [w] * self.config.content + [state.noise] * self.config.noise
        direction = self.affine(torch.cat(inputs, dim=1))
        motion = direction[:, None] * (state.tau * self.config.sigma_t)[..., None]
        return motion if self.mlp is None else self.mlp(F.leaky_relu(motion, 0.01))
