"""MoCoGAN's motion (CVPR 2018, §3): the path of a recurrent network that starts at random and is fed with noise.

Noise 0 is the initial state h_0, noise k what the network is fed with at step k; code k, its state after step k, lies
at time (k − 1)·distance. Between codes the motion is interpolated; before 0 it stands still. To reach t it must take
all earlier steps: its cost grows with t, and it waits for the device to learn the latest time.
"""

from __future__ import annotations

import math
from typing import ClassVar

import torch
from pydantic import Field
from torch import Tensor, nn

from inrvid.plugins import (
    GRU,
    Count,
    Draws,
    EqLinear,
    ExplicitNoise,
    Motion,
    MotionHead,
    NoiseSequence,
    PartConfig,
    Positive,
    SeededNoise,
    Span,
)


class GruMotion(Motion[NoiseSequence | Tensor, Tensor]):
    """MoCoGAN's recurrent codes: a GRU's path from a random state.

    h_k = GRU(ε_k, h_{k−1}); h_0 and ε_k are drawn from N(0, I), all `code_dim` wide.
    """

    source = "MoCoGAN (CVPR 2018) §3"
    test_settings: ClassVar = {"code_dim": 8}

    class Config(PartConfig):
        code_dim: Count = Field(10, description="width of the state, and of each noise")
        distance: Positive = Field(1.0, description="frames between two codes")

    config: Config

    def __init__(self, config: Config, *, z_dim: int, label_dim: int, clip_length: int):
        super().__init__(config, z_dim=z_dim, label_dim=label_dim, clip_length=clip_length)
        self.recurrent = GRU(config.code_dim, config.code_dim, batch_first=True)

    @property
    def span(self) -> Span:
        return Span(-math.inf, self.config.distance, 2)

    def sample_noise(self, draws: Draws) -> NoiseSequence:
        return SeededNoise.of_keys(draws.keys, draws.purpose, self.config.code_dim)

    def head(self, width: int, w_dim: int) -> MotionHead[Tensor]:
        return GruHead(self.config.code_dim, width)

    def forward(self, noise: NoiseSequence | Tensor, label: Tensor, t: Tensor) -> Tensor:
        """z_M `[B, T, code_dim]`; explicit noise is `[B, L, code_dim]`: h_0, ε_1, ε_2, …"""
        noise = ExplicitNoise(noise) if isinstance(noise, Tensor) else noise
        place = (t.double() / self.config.distance).clamp(min=0)
        left, right = place.floor().long(), place.ceil().long()
        indices = torch.arange(noise.until(right + 1), device=t.device).expand(t.shape[0], -1)
        values = noise.at(indices)
        codes, _ = self.recurrent(values[:, 1:], values[None, :, 0].contiguous())
        before, after = (codes.gather(1, index[..., None].expand(-1, -1, codes.shape[2])) for index in (left, right))
        return before.lerp(after, (place - left)[..., None].to(codes.dtype))


class GruHead(MotionHead[Tensor]):
    """The state as it is, or, where another width is asked for, a linear function of it."""

    def __init__(self, code_dim: int, width: int):
        super().__init__()
        self.width = width
        self.linear = nn.Identity() if width == code_dim else EqLinear(code_dim, width)

    def forward(self, state: Tensor, w: Tensor) -> Tensor:
        return self.linear(state)
