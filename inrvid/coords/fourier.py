"""Fourier features predicted from the style: p = σ·A(w)·(x, y) + β(w)  (DIGAN §3.1; INR-GAN §3.3)."""

from __future__ import annotations

from pydantic import Field
from torch import Tensor

from ..config import PartConfig, Positive
from ..grid import Grid
from ..layers.linear import StyleAffine
from .base import AffinePhase, CoordinateEncoding, linear_phase


class FourierCoords(CoordinateEncoding):
    """Fourier features whose frequencies and phases are predicted from the style.

        p(x, y) = σ·A(w)·(x, y) + β(w),   (A, β) = affine(w),   x, y ∈ [−1, 1]

    The generator's features are `[sin ‖ cos](p + m)`, where m is the motion term.
    """

    source = "DIGAN (ICLR 2022) §3.1"

    class Config(PartConfig):
        sigma: Positive = Field(10**0.5, description="σx = σy: scale of the predicted frequencies")

    config: Config

    def __init__(self, config: Config, *, dim: int, w_dim: int, size: int):
        super().__init__(config, dim=dim, w_dim=w_dim, size=size)
        self.affine = StyleAffine(w_dim, 3 * dim)

    def predict(self, w: Tensor) -> dict[str, Tensor]:
        frequencies, offset = self.affine(w).split([2 * self.dim, self.dim], dim=1)
        return {"frequencies": frequencies.unflatten(1, (self.dim, 2)) * self.config.sigma, "offset": offset}

    def affine_phase(self, predicted: dict[str, Tensor], grid: Grid) -> AffinePhase:
        return linear_phase(predicted["frequencies"], grid, predicted["offset"])
