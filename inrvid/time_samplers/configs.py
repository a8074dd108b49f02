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
