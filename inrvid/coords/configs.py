"""Configurations of the coordinate encodings."""

from __future__ import annotations

from pydantic import Field

from ..config import PartConfig, Positive


class FourierConfig(PartConfig):
    sigma: Positive = Field(10**0.5, description="σx = σy: scale of the predicted frequencies")


class LogConfig(PartConfig):
    max_frequency: Positive | None = Field(
        None, description="largest frequency, in radians a unit of x ∈ [−1, 1]; default: the native grid's Nyquist rate"
    )


class RandomConfig(PartConfig):
    sigma: Positive = Field(10.0, description="standard deviation of the frequencies, radians a unit of x")


class LearnedConfig(PartConfig):
    sigma: Positive = Field(10.0, description="standard deviation of the frequencies at the start")


class ConstantConfig(PartConfig):
    pass
