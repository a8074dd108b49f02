"""Coordinate encodings: the first layer of an implicit network, without time.

An encoding gives every point of the plane d phases p(x, y); the embedding is [sin p ‖ cos p]. A motion term
m(t) of the same width is *added to the phase*, so that it rotates the embedding (DIGAN §3.2):

    sin(p + m) = sin p · cos m + cos p · sin m        cos(p + m) = cos p · cos m − sin p · sin m

Where p is affine in x and y, the sines of all points of a grid therefore follow from those of its rows and columns.
"""

from __future__ import annotations

import abc
from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor, nn

from ..config import PartConfig
from ..grid import Grid


class AffinePhase(NamedTuple):
    """Phases of a grid's points, origin + row·down + column·right, rows from the top; each `[B, d]` or `[1, d]`."""

    origin: Tensor
    down: Tensor
    right: Tensor


class CoordinateEncoding(nn.Module, abc.ABC):
    """Phases of points, `dim` per point.

    Constructed as `Class(config, dim=d, w_dim=…, size=n)`: d phases, styles of width w_dim, n points per side of
    the grid on which the encoding is used in training. Subclasses define their phases in `affine_phase` if they are
    affine (generators are then faster), in `phase` otherwise.
    """

    Config: ClassVar[type[PartConfig]]

    has_affine_phase: ClassVar[bool] = False
    """Whether `affine_phase` is valid: not if a subclass overrides only `phase`."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        owner = next(c for c in cls.__mro__ if "phase" in vars(c) or "affine_phase" in vars(c))
        cls.has_affine_phase = "affine_phase" in vars(owner)

    def __init__(self, config: PartConfig, *, dim: int, w_dim: int, size: int):
        super().__init__()
        self.config, self.dim = config, dim

    @abc.abstractmethod
    def predict(self, w: Tensor) -> dict[str, Tensor]:
        """What depends on the video: w `[B, w_dim]` → named tensors `[B, …]`, kept in φ."""

    def affine_phase(self, predicted: dict[str, Tensor], grid: Grid) -> AffinePhase | None:
        """The phases of a grid's points if they are affine in x and y, else None."""
        return None

    def phase(self, predicted: dict[str, Tensor], grid: Grid) -> Tensor:
        """The phases of a grid's points, `[B, height, width, dim]`, rows from the top."""
        affine = self.affine_phase(predicted, grid)
        if affine is None:
            raise NotImplementedError(f"{type(self).__name__} must define `affine_phase` or `phase`")
        origin, down, right = (x[:, None, None] for x in affine)
        rows, columns = (torch.arange(n, device=origin.device, dtype=origin.dtype) for n in (grid.height, grid.width))
        return origin + rows[:, None, None] * down + columns[:, None] * right


def linear_phase(frequencies: Tensor, grid: Grid, offset: Tensor | None = None) -> AffinePhase:
    """A·(x, y) + offset, for A `[B, d, 2]` in radians per unit of x ∈ [−1, 1], offset `[B, d]` or `[d]`."""
    (x, step_x), (y, step_y) = grid.steps()
    origin = frequencies[..., 0] * x + frequencies[..., 1] * y
    origin = origin if offset is None else origin + offset
    return AffinePhase(origin, frequencies[..., 1] * step_y, frequencies[..., 0] * step_x)


class SharedBasis(CoordinateEncoding):
    """Frequencies `[dim, 2]` that all videos share: a buffer or a parameter named `frequencies`."""

    frequencies: Tensor

    def predict(self, w: Tensor) -> dict[str, Tensor]:
        return {}

    def affine_phase(self, predicted: dict[str, Tensor], grid: Grid) -> AffinePhase:
        return linear_phase(self.frequencies[None], grid)


def gaussian_frequencies(dim: int, sigma: float) -> Tensor:
    return torch.randn(dim, 2) * sigma
