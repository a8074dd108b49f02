"""Pairs of times that are usually far apart (DIGAN, appendix A.1)."""

from __future__ import annotations

from typing import Literal

import torch
from pydantic import Field
from torch import Tensor

from ..random import Draws
from .base import TimeSampler


class BetaPair(TimeSampler):
    """Two times in a clip, t1 ~ Beta(2, 1) and t2 ~ Beta(1, 2), sorted.

    Both are fractions of the clip. Real clips: frames ⌊T·t⌋ of a clip of T frames at a uniform offset; generated clips:
    times t·(T − 1), in frames.
    """

    source = "DIGAN (ICLR 2022) appendix A.1"

    class Config(TimeSampler.Config):
        frames: Literal[2] = Field(2, description="always a pair")

    def real(self, draws: Draws, lengths: Tensor) -> tuple[Tensor, Tensor]:
        length = self.config.clip_length
        start = draws.integers(lengths - length + 1)
        frame = (self._unit_pair(draws) * length).long().clamp_(max=length - 1)
        return start[:, None] + frame, frame.float()

    def generated(self, draws: Draws, lengths: Tensor) -> Tensor:
        return self._unit_pair(draws) * (self.config.clip_length - 1)

    @staticmethod
    def _unit_pair(draws: Draws) -> Tensor:
        # Beta(2, 1) and Beta(1, 2) have the distribution functions t² and 1 − (1 − t)².
        first, second = draws.uniform(2).unbind(1)
        return torch.stack([first.sqrt(), 1 - (1 - second).sqrt()], dim=1).sort(dim=1).values
