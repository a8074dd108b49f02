"""Fréchet distances of features: FVD (Unterthiner et al., 2018), FID (Heusel et al., NeurIPS 2017), statistics.

The three differ in what they see of a video and in the detector.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from torch import Tensor

from ...config import MOST, PartConfig
from ...registry import PartOf
from ..distances import frechet_distance
from .base import Metric, Parts


class Frechet(Metric):
    class Config(Metric.Config):
        unbiased: bool = Field(True, description="divide covariances by N − 1; false: by N, as StyleGAN-V's release")

    config: Config
    biased = True

    def score(self, real: Tensor, fake: Tensor, parts: Parts) -> dict[str, float]:
        """Squared Fréchet distances; lower is better, identical sets have 0."""
        return {
            name: frechet_distance(real[:, columns], fake[:, columns], unbiased=self.config.unbiased)
            for name, columns in parts.items()
        }


class Fvd(Frechet):
    """Fréchet video distance: between I3D's features of clips.

        |μ₁ − μ₂|² + tr(Σ₁ + Σ₂ − 2·√(Σ₁Σ₂))

    μ and Σ are the mean and the covariance of the features of each side.
    """

    source = "Unterthiner et al. (2018)"


class Fid(Frechet):
    """Fréchet distance of features of single frames: all that are seen of all clips.

        |μ₁ − μ₂|² + tr(Σ₁ + Σ₂ − 2·√(Σ₁Σ₂))

    μ and Σ are the mean and the covariance of the features of each side.
    """

    source = "Heusel et al. (NeurIPS 2017)"

    singly = True

    class Config(Frechet.Config):
        frames: Annotated[int, Field(ge=1, le=MOST)] | None = Field(1, description="frames of a clip that are seen")
        detector: Annotated[PartConfig, PartOf("detectors")] = Field(
            {"type": "inception"}, validate_default=True, description="what turns a frame into features"
        )

    def score(self, real: Tensor, fake: Tensor, parts: Parts) -> dict[str, float]:
        """Squared Fréchet distances; lower is better, identical sets have 0."""
        return super().score(real.flatten(0, -2), fake.flatten(0, -2), parts)


class Statistics(Frechet):
    """Fréchet distances of simple spatial and temporal statistics: quick, needs no weights."""

    class Config(Frechet.Config):
        detector: Annotated[PartConfig, PartOf("detectors")] = Field(
            {"type": "statistics"}, validate_default=True, description="what turns clips into features"
        )
