"""Diagnostics: what generated clips are like, beside real ones. They say what is wrong, not how good a generator is."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from torch import Tensor

from ...config import PartConfig
from ...registry import PartOf
from .base import Metric, Parts


class Diagnostics(Metric):
    """Motion, flicker, periodicity and sharpness: means of generated clips beside those of real ones."""

    class Config(Metric.Config):
        detector: Annotated[PartConfig, PartOf("detectors")] = Field(
            {"type": "diagnostics"}, validate_default=True, description="what turns clips into a few numbers"
        )

    config: Config

    better = "neither"

    def score(self, real: Tensor, fake: Tensor, parts: Parts) -> dict[str, float]:
        """`motion`, `motion (real)`, …: the mean of a part's columns; neither high nor low is good, similar is."""
        found: dict[str, float] = {}
        for name, columns in parts.items():
            found |= {name: fake[:, columns].mean().item(), f"{name} (real)".strip(): real[:, columns].mean().item()}
        return found
