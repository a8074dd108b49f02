"""Configurations of the time samplers."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, PositiveInt

from ..config import PartConfig


class TimeSamplerConfig(PartConfig):
    frames: PositiveInt = Field(2, description="times a clip; in a recipe: what the discriminator sees")
    clip_length: Annotated[int, Field(ge=2)] = Field(16, description="frames of a clip; in a recipe: the generator's")


class BetaPairConfig(TimeSamplerConfig):
    frames: Literal[2] = Field(2, description="always a pair")


class RandomDistanceConfig(TimeSamplerConfig):
    frames: Annotated[int, Field(ge=1, le=16)] = Field(3, description="k; in a recipe: what the discriminator sees")
    max_frames: Annotated[int, Field(ge=2)] = Field(1024, description="length of generated videos, frames")
    max_distance: PositiveInt = Field(32, description="largest distance between the first and the last frame")
    variant: Literal["release", "paper"] = Field(
        "release", description="total distance: a power of two (release), or any number (paper)"
    )


class UniformConfig(TimeSamplerConfig):
    pass
