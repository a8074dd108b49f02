"""Configurations of the augmentations."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, Strict

from ..config import PartConfig


class NoAugmentConfig(PartConfig):
    pass


class DiffAugmentConfig(PartConfig):
    policy: Annotated[tuple[Literal["color", "translation"], ...], Strict(False)] = Field(
        ("color", "translation"), description="what is varied"
    )
    max_translation: Annotated[float, Field(ge=0, le=0.5)] = Field(0.125, description="as a fraction of the side")
