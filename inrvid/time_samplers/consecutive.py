"""Neighbouring frames, as discriminators with convolutions over time see them (MoCoGAN, CVPR 2018)."""

from __future__ import annotations

from typing import Annotated

import torch
from pydantic import Field, model_validator
from torch import Tensor
from typing_extensions import Self

from ..config import MOST, Count
from ..random import Draws
from .base import TimeSampler


class Consecutive(TimeSampler):
    """k neighbouring frames, anywhere in the video.

    Real clips start at any frame of the video; generated ones at any real-valued time of a video as long as a random
    training video, but at most `max_frames`."""

    source = "MoCoGAN (CVPR 2018)"

    class Config(TimeSampler.Config):
        frames: Count = Field(16, description="k; in a recipe: the discriminator's frames")
        max_frames: Annotated[int, Field(ge=2, le=MOST)] = Field(1024, description="longest generated video, frames")

        @model_validator(mode="after")
        def _frames_fit_the_video(self) -> Self:
            if self.max_frames < self.frames:
                raise ValueError(f"max_frames {self.max_frames} is too small for {self.frames} frames")
            return self

    config: Config

    def real(self, draws: Draws, lengths: Tensor) -> tuple[Tensor, Tensor]:
        numbers = draws.integers(lengths - self.frames + 1)[:, None] + torch.arange(self.frames, device="cpu")
        return numbers, numbers.float()

    def generated(self, draws: Draws, lengths: Tensor) -> Tensor:
        latest = lengths.clamp(max=self.config.max_frames) - self.frames
        return (draws.uniform() * latest)[:, None] + torch.arange(self.frames, device="cpu")
