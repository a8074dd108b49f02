"""Coordinate encodings: the first layer of an implicit network, without time.

An encoding gives every point of the plane d phases p(x, y); the embedding is [sin p ‖ cos p]. A motion term
m(t) of the same width is *added to the phase*, so that it rotates the embedding (DIGAN §3.1):

    sin(p + m) = sin p · cos m + cos p · sin m        cos(p + m) = cos p · cos m − sin p · sin m

The generator uses this to evaluate sines once a video and to turn time into a change of weights.
"""

from __future__ import annotations

import abc
from typing import ClassVar

import torch
from torch import Tensor, nn

from ..config import PartConfig
from ..grid import Grid


class CoordinateEncoding(nn.Module, abc.ABC):
    """Phases of points, `dim` a point.

    Constructed as `Class(config, dim=d, w_dim=…, size=n)`: d phases, styles of width w_dim, n points a side of
    the grid that the encoding serves in training.
    """

    Config: ClassVar[type[PartConfig]]

    def __init__(self, config: PartConfig, *, dim: int, w_dim: int, size: int):
        super().__init__()
        self.config, self.dim = config, dim

    @abc.abstractmethod
    def predict(self, w: Tensor) -> dict[str, Tensor]:
        """What depends on the video: w `[B, w_dim]` → named tensors `[B, …]`, kept in φ."""

    @abc.abstractmethod
    def phase(self, predicted: dict[str, Tensor], grid: Grid) -> Tensor:
        """The phases of a grid's points, `[B, height, width, dim]`, rows from the top."""


def linear_phase(frequencies: Tensor, grid: Grid) -> Tensor:
    """A·(x, y) for frequencies A `[B, d, 2]` in radians a unit of x ∈ [−1, 1] → `[B, height, width, d]`."""
    x, y = grid.axes(frequencies.device, frequencies.dtype)
    along_x = x[:, None] * frequencies[:, None, :, 0]  # [B, width, d]
    along_y = y[:, None] * frequencies[:, None, :, 1]  # [B, height, d]
    return along_y[:, :, None] + along_x[:, None]


class SharedBasis(CoordinateEncoding):
    """Frequencies `[dim, 2]` that all videos share: a buffer or a parameter named `frequencies`."""

    frequencies: Tensor

    def predict(self, w: Tensor) -> dict[str, Tensor]:
        return {}

    def phase(self, predicted: dict[str, Tensor], grid: Grid) -> Tensor:
        return linear_phase(self.frequencies[None], grid)


def gaussian_frequencies(dim: int, sigma: float) -> Tensor:
    return torch.randn(dim, 2) * sigma
