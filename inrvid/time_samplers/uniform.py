"""Distinct times of a clip, all sets of them equally likely."""

from __future__ import annotations

from torch import Tensor

from ..random import Draws
from .base import TimeSampler


class Uniform(TimeSampler):
    """k distinct times of a clip, all equally likely.

    Real clips: k distinct frames of a clip at a uniform offset. Generated: k uniform real-valued times of a clip.
    """

    class Config(TimeSampler.Config):
        pass

    def real(self, draws: Draws, lengths: Tensor) -> tuple[Tensor, Tensor]:
        length = self.config.clip_length
        start = draws.integers(lengths - length + 1)
        frame = draws.uniform(length).argsort(dim=1)[:, : self.frames].sort(dim=1).values
        return start[:, None] + frame, frame.float()

    def generated(self, draws: Draws, lengths: Tensor) -> Tensor:
        return (draws.uniform(self.frames) * (self.config.clip_length - 1)).sort(dim=1).values
