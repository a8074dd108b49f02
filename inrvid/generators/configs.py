"""Configurations of the generators."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, Strict, model_validator

from ..config import MOST, Count, Fps, Layers, Natural, PartConfig, PartOf, PowerOfTwo


class GeneratorConfig(PartConfig):
    """What every generator has: latents, mapping network, motion, and what it was trained for."""

    resolution: PowerOfTwo = Field(128, description="side of the frames, pixels")
    clip_length: Annotated[int, Field(ge=2, le=MOST)] = Field(
        16, description="frames of a training clip, at the model's rate"
    )
    fps: Fps = Field(25.0, description="the model's own frame rate; derived from the data if not written")
    label_dim: Natural = Field(0, description="number of classes; 0: unconditional")
    z_dim: Count = Field(512, description="width of the latents z and z_M")
    w_dim: Count = Field(512, description="width of the style w")
    mapping_layers: Layers = Field(2, description="layers of the mapping network")
    half_blocks: Natural = Field(0, description="so many of the highest resolutions run in half precision")
    half_dtype: Literal["float16", "bfloat16"] = Field("float16", description="which half precision")
    motion: Annotated[PartConfig, PartOf("motions")] = Field(
        {"type": "global"},
        validate_default=True,
        description="motion parametrization",
    )


class InrGanConfig(GeneratorConfig):
    coords: Annotated[PartConfig, PartOf("coords")] = Field(
        {"type": "fourier"},
        validate_default=True,
        description="coordinate encoding",
    )
    channel_base: Count = Field(32768, description="channels(r) = min(channel_base // r, channel_max)")
    channel_max: Count = Field(512, description="largest number of channels")
    input_resolution: PowerOfTwo = Field(32, description="blocks up to this resolution share one grid of this side")
    coord_dim: Count = Field(128, description="d: number of phases; a coordinate embedding is 2d wide")
    fmm_rank: Count = Field(10, description="rank of the factorised modulation")
    extra_layers: dict[Annotated[int, Strict(False)], Annotated[int, Field(ge=0, le=100)]] = Field(
        {128: 1, 256: 1}, description="layers added to the block of a resolution"
    )

    @model_validator(mode="after")
    def _grid_fits(self) -> InrGanConfig:
        if self.input_resolution > self.resolution:
            raise ValueError(f"input_resolution {self.input_resolution} exceeds resolution {self.resolution}")
        return self


class StyleGan2Config(GeneratorConfig):
    channel_base: Count = Field(16384, description="channels(r) = min(channel_base // r, channel_max)")
    channel_max: Count = Field(512, description="largest number of channels")
    architecture: Literal["skip", "resnet"] = Field("skip", description="how blocks make the picture")
    motion_width: Natural = Field(512, description="width of the motion code that the backbone takes in")
    motion_input: Literal["constant", "styles"] = Field(
        "constant",
        description="where: behind the constant input (StyleGAN-V), or behind w in every layer (MoCoGAN+SG2)",
    )
