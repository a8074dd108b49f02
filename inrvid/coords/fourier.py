"""Fourier features predicted from the style: p = σ·A(w)·(x, y) + β(w)  (DIGAN §3.1; INR-GAN §3.3)."""

from __future__ import annotations

from torch import Tensor

from ..grid import Grid
from ..layers.linear import EqLinear
from .base import AffinePhase, CoordinateEncoding, linear_phase
from .configs import FourierConfig


class FourierCoords(CoordinateEncoding):
    Config = FourierConfig
    config: FourierConfig

    def __init__(self, config: FourierConfig, *, dim: int, w_dim: int, size: int):
        super().__init__(config, dim=dim, w_dim=w_dim, size=size)
        self.affine = EqLinear(w_dim, 3 * dim)

    def predict(self, w: Tensor) -> dict[str, Tensor]:
        frequencies, offset = self.affine(w).split([2 * self.dim, self.dim], dim=1)
        return {"frequencies": frequencies.unflatten(1, (self.dim, 2)) * self.config.sigma, "offset": offset}

    def affine_phase(self, predicted: dict[str, Tensor], grid: Grid) -> AffinePhase:
        return linear_phase(predicted["frequencies"], grid, predicted["offset"])
