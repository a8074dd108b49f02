"""Configurations of the augmentations."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, Strict

from ..config import Count, PartConfig, Positive


class NoAugmentConfig(PartConfig):
    pass


class DiffAugmentConfig(PartConfig):
    policy: Annotated[tuple[Literal["color", "translation"], ...], Strict(False)] = Field(
        ("color", "translation"), description="what is varied"
    )
    max_translation: Annotated[float, Field(ge=0, le=0.5)] = Field(0.125, description="as a fraction of the side")


Operation = Literal[
    "xflip", "rotate90", "xint", "scale", "rotate", "aniso", "xfrac",
    "brightness", "contrast", "lumaflip", "hue", "saturation", "imgfilter", "cutout",
]  # fmt: skip
GEOMETRY: tuple[Operation, ...] = ("xflip", "rotate90", "xint", "scale", "rotate", "aniso", "xfrac")
COLOR: tuple[Operation, ...] = ("brightness", "contrast", "lumaflip", "hue", "saturation")


class AdaConfig(PartConfig):
    """The default is the pipeline `bgc`: pixel blitting, geometry, colour."""

    operations: Annotated[tuple[Operation, ...], Strict(False)] = Field(
        GEOMETRY + COLOR, description="what is varied, each with probability p"
    )
    target: Annotated[float, Field(ge=-1, le=1)] = Field(
        0.6, description="mean sign of D's logits at real clips to keep"
    )
    speed_kclips: Positive = Field(100.0, description="thousands of clips in which p can go from 0 to 1")
    interval: Count = Field(4, description="steps between two changes of p")
    initial: Annotated[float, Field(ge=0, le=1)] = Field(0.0, description="p at the start")
