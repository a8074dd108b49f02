"""Configurations of the discriminators."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, NonNegativeInt, PositiveInt

from ..config import PartConfig, power_of_two

PowerOfTwo = Annotated[int, AfterValidator(power_of_two)]


class DiscriminatorConfig(PartConfig):
    resolution: PowerOfTwo = Field(128, description="side of the frames; in a recipe: the generator's")
    clip_length: Annotated[int, Field(ge=2)] = Field(16, description="frames of a clip; in a recipe: the generator's")
    label_dim: NonNegativeInt = Field(0, description="number of classes; in a recipe: the generator's")
    frames: PositiveInt = Field(2, description="frames of a clip that the discriminator sees")
    channel_base: PositiveInt = Field(32768, description="channels(r) = min(channel_base // r, channel_max)")
    channel_max: PositiveInt = Field(512, description="largest number of channels")
    mbstd_group: PositiveInt = Field(4, description="group size of the minibatch standard deviation")


class DualConfig(DiscriminatorConfig):
    frames: Literal[2] = Field(2, description="the motion discriminator sees a pair")
    label_layers: PositiveInt = Field(8, description="layers of the mapping network of the label")
