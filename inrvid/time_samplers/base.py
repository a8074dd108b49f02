"""Which times of a clip the discriminator sees."""

from __future__ import annotations

import abc
from typing import ClassVar

from torch import Tensor

from ..random import Draws
from .configs import TimeSamplerConfig


class TimeSampler(abc.ABC):
    """Draws the times of real and generated clips. Times are in frames at the model's rate."""

    Config: ClassVar[type[TimeSamplerConfig]]

    def __init__(self, config: TimeSamplerConfig):
        self.config = config
        self.frames = config.frames

    @abc.abstractmethod
    def real(self, draws: Draws, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """For videos of `lengths` (int64 `[B]`) frames each: (frame numbers int64 `[B, frames]`, of
        0 … length − 1 and ascending; their times t float32 `[B, frames]`, as the discriminator is told them)."""

    @abc.abstractmethod
    def generated(self, draws: Draws, lengths: Tensor) -> Tensor:
        """Times of generated clips, float32 `[B, frames]`, ascending.

        `lengths`, int64 `[B]`: frames of as many random training videos, so that generated clips can be as long as
        real ones.
        """
