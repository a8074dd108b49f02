"""Frequencies and offsets learned as parameters, the same for all videos (INR-GAN's ablation)."""

from __future__ import annotations

import torch
from pydantic import Field
from torch import Tensor, nn

from ..config import PartConfig, Positive
from ..grid import Grid
from .base import AffinePhase, SharedBasis, gaussian_frequencies, linear_phase


class LearnedCoords(SharedBasis):
    """Learned frequencies shared by all videos.

        p(x, y) = B·(x, y) + β

    B and β are parameters; B is initialised from N(0, σ²).
    """

    source = "INR-GAN (CVPR 2021)"

    class Config(PartConfig):
        sigma: Positive = Field(10.0, description="standard deviation of the initial frequencies")

    def __init__(self, config: Config, *, dim: int, w_dim: int, size: int):
        super().__init__(config, dim=dim, w_dim=w_dim, size=size)
        self.frequencies = nn.Parameter(gaussian_frequencies(dim, config.sigma))
        self.offset = nn.Parameter(torch.zeros(dim))

    def affine_phase(self, predicted: dict[str, Tensor], grid: Grid) -> AffinePhase:
        return linear_phase(self.frequencies[None], grid, self.offset)
