"""Configurations of the time samplers."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from ..config import MOST, Count, PartConfig


class TimeSamplerConfig(PartConfig):
    frames: Count = Field(2, description="times a clip; in a recipe: what the discriminator sees")
    clip_length: Annotated[int, Field(ge=2, le=MOST)] = Field(
        16, description="frames of a clip; in a recipe: the generator's"
    )

    @model_validator(mode="after")
    def _frames_fit(self) -> TimeSamplerConfig:
        if self.frames > self.clip_length:
            raise ValueError(f"frames {self.frames} exceeds clip_length {self.clip_length}")
        return self


class BetaPairConfig(TimeSamplerConfig):
    frames: Literal[2] = Field(2, description="always a pair")


class RandomDistanceConfig(TimeSamplerConfig):
    frames: Annotated[int, Field(ge=1, le=16)] = Field(3, description="k; in a recipe: what the discriminator sees")
    max_frames: Annotated[int, Field(ge=2, le=MOST)] = Field(1024, description="longest generated video, frames")
    max_distance: Count = Field(32, description="largest distance between the first and the last frame")
    variant: Literal["release", "paper"] = Field(
        "release",
        description="release: the total distance is a power of two, generated videos are as long as random training "
        "videos; paper: any distance, all generated videos are max_frames long",
    )

    @model_validator(mode="after")
    def _distances_fit(self) -> RandomDistanceConfig:
        for name, value, least in (
            ("max_distance", self.max_distance, self.frames - 1),
            ("max_frames", self.max_frames, self.frames),
        ):
            if value < least:
                raise ValueError(f"{name} {value} is too small for {self.frames} frames: at least {least}")
        return self


class ConsecutiveConfig(TimeSamplerConfig):
    frames: Count = Field(16, description="k; in a recipe: what the discriminator sees")
    max_frames: Annotated[int, Field(ge=2, le=MOST)] = Field(1024, description="longest generated video, frames")

    @model_validator(mode="after")
    def _frames_fit_the_video(self) -> ConsecutiveConfig:
        if self.max_frames < self.frames:
            raise ValueError(f"max_frames {self.max_frames} is too small for {self.frames} frames")
        return self


class UniformConfig(TimeSamplerConfig):
    pass
