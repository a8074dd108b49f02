"""Configurations of the discriminators."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from ..config import MOST, Count, Layers, Natural, PartConfig, PowerOfTwo


class DiscriminatorConfig(PartConfig):
    resolution: PowerOfTwo = Field(128, description="side of the frames; in a recipe: the generator's")
    clip_length: Annotated[int, Field(ge=2, le=MOST)] = Field(
        16, description="frames of a clip; in a recipe: the generator's"
    )
    label_dim: Natural = Field(0, description="number of classes; in a recipe: the generator's")
    frames: Count = Field(2, description="frames of a clip that the discriminator sees")
    channel_base: Count = Field(32768, description="channels(r) = min(channel_base // r, channel_max)")
    channel_max: Count = Field(512, description="largest number of channels")
    mbstd_group: Count = Field(4, description="group size of the minibatch standard deviation")
    half_blocks: Natural = Field(0, description="so many of the highest resolutions run in half precision")
    half_dtype: Literal["float16", "bfloat16"] = Field("float16", description="which half precision")


class DualConfig(DiscriminatorConfig):
    frames: Literal[2] = Field(2, description="the motion discriminator sees a pair")
    label_layers: Layers = Field(8, description="layers of the mapping network of the label")


class HypernetworkConfig(DiscriminatorConfig):
    frames: Annotated[int, Field(ge=1, le=16)] = Field(3, description="k: frames of a clip that it sees")
    max_frames: Annotated[int, Field(ge=2, le=MOST)] = Field(
        1024, description="longest distance that is told apart; in a recipe: the time sampler's, if it has one"
    )
    concat_resolution: PowerOfTwo = Field(16, description="where the frames' features are concatenated")
    frame_channel_divisor: Count = Field(2, description="channels of one frame there, as a part of the usual")
    modulated: bool = Field(
        False, description="modulate each block by the time distances (paper; the release does not)"
    )
    projection: bool = Field(True, description="condition the logit on the distances and the label, by projection")
    mapping_layers: Layers = Field(2, description="layers of the mapping network of distances and label")
    time_embedding_dim: Count = Field(256, description="width of the learned embedding of one distance")

    @model_validator(mode="after")
    def _frames_are_seen_alone_first(self) -> HypernetworkConfig:
        if self.resolution <= self.concat_resolution:
            raise ValueError(
                f"resolution {self.resolution} must be larger than concat_resolution {self.concat_resolution}: "
                f"set concat_resolution to {self.resolution // 2} or less"
            )
        return self
