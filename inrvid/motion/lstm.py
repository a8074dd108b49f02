"""MoCoGAN's motion codes (CVPR 2018) in continuous time, as in StyleGAN-V's ablation.

An LSTM runs over the noises; code i is its state after noise i. At time t, u = lerp(u_ℓ, u_{ℓ+1}, α), and each head
maps u to its width. To reach t, the LSTM must run through all codes before it: its cost grows with t, and it waits for
the device to learn the latest time. For a video that is streamed in n parts, it runs through the beginning n times.
Before time 0, the video stands still.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from pydantic import Field
from torch import Tensor

from ..config import Count, PartConfig, Positive
from ..layers.mapping import MappingNetwork
from ..layers.recurrent import LSTM
from ..random import Draws
from .base import Motion, MotionHead, Span
from .noise import ExplicitNoise, NoiseSequence, SeededNoise

LAYERS = 2


class LstmState(NamedTuple):
    u: Tensor
    """`[B, T, code_dim]`."""
    label: Tensor
    """`[B, classes]`."""


class LstmMotion(Motion[NoiseSequence | Tensor, LstmState]):
    """Recurrent motion codes, linearly interpolated; a label conditions the network and the heads.

        u_i  = LSTM(z_0, …, z_i)
        v(t) = head(lerp(u_ℓ, u_{ℓ+1}, α)),   ℓ = ⌊t/δ⌋,   α = t/δ − ℓ

    Before time 0, the video stands still.
    """

    source = "MoCoGAN (CVPR 2018); StyleGAN-V (CVPR 2022) §4.2"

    class Config(PartConfig):
        """MoCoGAN's recurrent codes, linearly interpolated (StyleGAN-V's ablation)."""

        distance: Positive = Field(16.0, description="δ: frames between two codes; 1 or 16 in the ablation")
        code_dim: Count = Field(512, description="width of the LSTM's state")
        noise_dim: Count | None = Field(None, description="width of a noise; default: that of the latents, z_dim")

    config: Config

    def __init__(self, config: Config, *, z_dim: int, label_dim: int, clip_length: int):
        super().__init__(config, z_dim=z_dim, label_dim=label_dim, clip_length=clip_length)
        self.noise_dim = config.noise_dim or z_dim
        self.lstm = LSTM(self.noise_dim + label_dim, config.code_dim, batch_first=True)

    @property
    def span(self) -> Span:
        return Span(-math.inf, self.config.distance, 1)

    def sample_noise(self, draws: Draws) -> NoiseSequence:
        return SeededNoise.of_keys(draws.keys, draws.purpose, self.noise_dim)

    def head(self, width: int, w_dim: int) -> MotionHead[LstmState]:
        return LstmHead(self.config, self.label_dim, width)

    def forward(self, noise: NoiseSequence | Tensor, label: Tensor, t: Tensor) -> LstmState:
        noise = ExplicitNoise(noise) if isinstance(noise, Tensor) else noise
        place = (t.double() / self.config.distance).clamp(min=0)
        left = place.floor().long()
        indices = torch.arange(noise.until(left + 1), device=t.device).expand(t.shape[0], -1)
        values = noise.at(indices)
        labels = label[:, None].expand(-1, indices.shape[1], -1)
        codes, _ = self.lstm(torch.cat([values, labels.to(values.dtype)], dim=-1))
        before, after = (codes.gather(1, index[..., None].expand(-1, -1, codes.shape[2])) for index in (left, left + 1))
        return LstmState(before.lerp(after, (place - left)[..., None].to(codes.dtype)), label)


class LstmHead(MotionHead[LstmState]):
    def __init__(self, config: LstmMotion.Config, label_dim: int, width: int):
        super().__init__()
        self.width = width
        self.mapping = MappingNetwork(config.code_dim, label_dim, width, layers=LAYERS, average=False)

    def forward(self, state: LstmState, w: Tensor) -> Tensor:
        frames = state.u.shape[1]
        of_frames = state.label.repeat_interleave(frames, dim=0)
        return self.mapping(state.u.flatten(0, 1), of_frames).unflatten(0, (-1, frames))
