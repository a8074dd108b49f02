"""Which moments of a video are asked for."""

from __future__ import annotations

from typing import Annotated

import torch
from pydantic import Field, model_validator
from torch import Tensor
from typing_extensions import Self

from ..config import Count, Fps, Positive
from ..errors import InrvidError
from ..generators.base import VideoGenerator
from ..generators.inr import VideoINR
from .options import Options, at_most_one

MOST_FRAMES = 10**6
"""Frames of one video, at most."""


class When(Options):
    """Times of frames, at equal distances."""

    frames: Count | None = Field(None, description="how many; default: as many as a training clip takes")
    seconds: Annotated[float, Field(gt=0, le=1e6)] | None = Field(None, description="length of the file, instead")
    fps: Fps | None = Field(None, description="of the file; default: the model's own rate")
    start: Annotated[float, Field(ge=-1e9, le=1e9)] = Field(0.0, description="first time, frames at the model's rate")
    stride: Count = Field(1, description="every n-th frame: n times as fast")
    slow: Positive = Field(1.0, description="slow motion: 4 is four times as slow")

    @model_validator(mode="after")
    def _one_length(self) -> Self:
        at_most_one(frames=self.frames, seconds=self.seconds)
        return self

    def rate(self, generator: VideoGenerator) -> float:
        """Frames a second of the file."""
        return self.fps or generator.fps

    def times(self, generator: VideoGenerator) -> Tensor:
        """t `[T]`, float64, in frames at the model's rate. Raises InrvidError: more than `MOST_FRAMES`."""
        rate = self.rate(generator)
        step = generator.fps / rate * self.stride / self.slow
        lasts = generator.clip_length / step if self.seconds is None else self.seconds * rate
        count = self.frames or max(1, round(lasts))
        if count > MOST_FRAMES:
            raise InrvidError(f"{count} frames: at most {MOST_FRAMES} can be written as one video")
        return self.start + torch.arange(count, dtype=torch.float64) * step


def check_times(inr: VideoINR, t: Tensor) -> None:
    """Raises InrvidError, before hours are spent on the rest, if the motion cannot serve the times t `[T]`."""
    ends = torch.stack([t.min(), t.max()]).to(inr.label.device).expand(len(inr), -1)
    with torch.no_grad():
        inr.generator.motion(inr.noise, inr.label, ends)
