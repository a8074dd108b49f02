"""Pairs of times that are usually far apart (DIGAN, appendix A.1)."""

from __future__ import annotations

import torch
from torch import Tensor

from ..random import Draws
from .base import TimeSampler
from .configs import BetaPairConfig


class BetaPair(TimeSampler):
    """t1 ~ Beta(2, 1), t2 ~ Beta(1, 2) in unit clip length, sorted.

    Real clips: frames ⌊T·t⌋ of a clip of T frames at a uniform offset; generated: t·(T − 1) frames.
    """

    Config = BetaPairConfig

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
