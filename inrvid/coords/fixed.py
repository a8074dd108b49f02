"""Bases that are not trained (the alternatives of INR-GAN's ablation)."""

from __future__ import annotations

import math

import torch
from pydantic import Field

from ..config import PartConfig, Positive
from .base import SharedBasis, gaussian_frequencies


class LogCoords(SharedBasis):
    """Fixed axis-aligned frequencies, logarithmically spaced.

        p_2j(x, y) = f_j·x,   p_2j+1(x, y) = f_j·y,   f_j = π … π·size/2

    The f_j are a geometric sequence from one period across the frame to the native grid's Nyquist rate, or to
    `max_frequency` (at least π).
    """

    source = "INR-GAN (CVPR 2021)"

    class Config(PartConfig):
        max_frequency: Positive | None = Field(
            None,
            description="largest frequency, radians per unit of x ∈ [−1, 1]; default: the native grid's Nyquist rate",
        )

    def __init__(self, config: Config, *, dim: int, w_dim: int, size: int):
        super().__init__(config, dim=dim, w_dim=w_dim, size=size)
        highest = config.max_frequency or math.pi * size / 2
        scale = torch.logspace(math.log2(math.pi), math.log2(max(highest, math.pi)), (dim + 1) // 2, base=2)
        frequencies = torch.zeros(dim, 2)
        frequencies[0::2, 0] = scale
        frequencies[1::2, 1] = scale[: dim // 2]
        self.register_buffer("frequencies", frequencies)


class RandomCoords(SharedBasis):
    """Fixed Gaussian random frequencies.

        p(x, y) = B·(x, y),   B ~ N(0, σ²)

    Random Fourier features (Tancik et al., NeurIPS 2020), drawn when the model is built.
    """

    source = "INR-GAN (CVPR 2021)"

    class Config(PartConfig):
        sigma: Positive = Field(10.0, description="standard deviation of the frequencies, radians per unit of x")

    def __init__(self, config: Config, *, dim: int, w_dim: int, size: int):
        super().__init__(config, dim=dim, w_dim=w_dim, size=size)
        self.register_buffer("frequencies", gaussian_frequencies(dim, config.sigma))
