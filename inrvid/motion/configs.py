"""Configurations of the motion parametrizations."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from ..config import MOST, Count, PartConfig, Positive


class GlobalConfig(PartConfig):
    """DIGAN's motion vector; the flags are the rows of its ablations (table 5, table 7)."""

    sigma_t: Positive = Field(0.25, description="σt: scale of time; 0.5 for 128-frame clips")
    content: bool = Field(True, description="the motion vector depends on the content's style w")
    noise: bool = Field(True, description="the motion vector depends on the motion noise z_M")
    nonlinear: bool = Field(True, description="pass the motion term through f_M")

    @model_validator(mode="after")
    def _depends_on_something(self) -> GlobalConfig:
        if not (self.content or self.noise):
            raise ValueError("one of 'content' and 'noise' must be true (motion: {type: static} has none)")
        return self


class StaticConfig(PartConfig):
    pass


class CodesConfig(PartConfig):
    """Motions made of codes u at equal distances in time, with an acyclic positional encoding between them."""

    distance: Positive = Field(16.0, description="δ: frames between two motion codes")
    code_dim: Count = Field(512, description="width of a code u")
    min_period: Positive | None = Field(None, description="shortest period, frames; default: δ")
    max_period: Positive = Field(1024.0, description="longest period, frames")
    spacing: Literal["log", "linear"] = Field("log", description="of the periods: log (release) or linear (paper)")

    @model_validator(mode="after")
    def _periods_are_ordered(self) -> CodesConfig:
        shortest = self.min_period or self.distance
        if shortest > self.max_period:
            raise ValueError(f"max_period {self.max_period:g} is shorter than the shortest period, {shortest:g}")
        return self


class Conv1dConfig(CodesConfig):
    kernel: Annotated[int, Field(ge=1, le=MOST)] = Field(11, description="width of each of the two convolutions, codes")


class AttentionConfig(CodesConfig):
    kernel: Annotated[int, Field(ge=1, le=MOST)] = Field(11, description="window of each of the two layers, codes")
    heads: Count = Field(4, description="attention heads; they share code_dim")

    @model_validator(mode="after")
    def _heads_divide(self) -> AttentionConfig:
        if self.code_dim % self.heads:
            raise ValueError(f"heads {self.heads} do not divide code_dim {self.code_dim}")
        return self


class LstmConfig(PartConfig):
    """MoCoGAN's recurrent codes, linearly interpolated (StyleGAN-V's ablation)."""

    distance: Positive = Field(16.0, description="δ: frames between two codes; 1 or 16 in the ablation")
    code_dim: Count = Field(512, description="width of the LSTM's state")
