"""Configurations of the motion parametrizations."""

from __future__ import annotations

from pydantic import Field, PositiveFloat, model_validator

from ..config import PartConfig


class GlobalConfig(PartConfig):
    """DIGAN's motion vector; the flags are the rows of its ablations (table 5, table 7)."""

    sigma_t: PositiveFloat = Field(0.25, description="σt: scale of time; 0.5 for 128-frame clips")
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
