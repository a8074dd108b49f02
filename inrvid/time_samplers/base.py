"""Which times of a clip the discriminator sees."""

from __future__ import annotations

import abc
from typing import Annotated

from pydantic import Field, model_validator
from torch import Tensor
from typing_extensions import Self

from ..config import MOST, Count, PartConfig
from ..random import Draws


class TimeSampler(abc.ABC):
    """Draws the times of real and generated clips. Times are in frames at the model's rate."""

    class Config(PartConfig):
        frames: Count = Field(2, description="times per clip; in a recipe: the discriminator's frames")
        clip_length: Annotated[int, Field(ge=2, le=MOST)] = Field(
            16, description="frames of a clip; in a recipe: the generator's"
        )

        @model_validator(mode="after")
        def _frames_fit(self) -> Self:
            if self.frames > self.clip_length:
                raise ValueError(f"frames {self.frames} exceeds clip_length {self.clip_length}")
            return self

    def __init__(self, config: Config):
        self.config = config
        self.frames = config.frames

    @abc.abstractmethod
    def real(self, draws: Draws, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """For videos of `lengths` (int64 `[B]`) frames: (ascending frame numbers in 0 … length − 1, int64
        `[B, frames]`; their times t, float32 `[B, frames]`, as passed to the discriminator)."""

    @abc.abstractmethod
    def generated(self, draws: Draws, lengths: Tensor) -> Tensor:
        """Times of generated clips, float32 `[B, frames]`, ascending.

        `lengths`, int64 `[B]`: numbers of frames of B random training videos, so that generated clips can be as long
        as real ones.
        """
