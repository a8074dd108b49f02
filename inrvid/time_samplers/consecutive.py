"""Neighbouring frames, as discriminators with convolutions over time see them (MoCoGAN, CVPR 2018)."""

from __future__ import annotations

import torch
from torch import Tensor

from ..random import Draws
from .base import TimeSampler
from .configs import ConsecutiveConfig


class Consecutive(TimeSampler):
    """k frames in a row that start anywhere: real ones at a frame of the video, generated ones at any real time of a
    video as long as a random training video, at most `max_frames`."""

    Config = ConsecutiveConfig
    config: ConsecutiveConfig

    def real(self, draws: Draws, lengths: Tensor) -> tuple[Tensor, Tensor]:
        numbers = draws.integers(lengths - self.frames + 1)[:, None] + torch.arange(self.frames)
        return numbers, numbers.float()

    def generated(self, draws: Draws, lengths: Tensor) -> Tensor:
        latest = lengths.clamp(max=self.config.max_frames) - self.frames
        return (draws.uniform() * latest)[:, None] + torch.arange(self.frames)
