"""Which points of the plane a frame shows."""

from __future__ import annotations

import math
import operator
from typing import Any, NamedTuple

import torch
from torch import Tensor

from .errors import InrvidError


class Grid(NamedTuple):
    """`height` × `width` points of a region of the plane.

    Attributes:
        height, width: number of points, pixels.
        region: (x0, y0, x1, y1) in unit coordinates, x to the right and y **down**; (0, 0, 1, 1) is the frame
            that the model was trained on, (−0.25, −0.25, 1.25, 1.25) zooms out.
    """

    height: int
    width: int
    region: tuple[float, float, float, float] = (0.0, 0.0, 1.0, 1.0)

    @classmethod
    def of(cls, value: Grid | tuple[Any, ...] | int) -> Grid:
        """A grid, or what stands for one: a side, (height, width), (height, width, region).

        Raises:
            InrvidError: anything else, or no point at all.
        """
        try:
            grid = value if isinstance(value, Grid) else cls(*(value if isinstance(value, tuple) else (value, value)))
            x0, y0, x1, y1 = map(float, grid.region)
            grid = cls(operator.index(grid.height), operator.index(grid.width), (x0, y0, x1, y1))
            fits = grid.height > 0 and grid.width > 0 and all(map(math.isfinite, grid.region))
        except (TypeError, ValueError, OverflowError):
            fits = False
        if not fits:
            raise InrvidError(
                f"grid {value!r}: expected Grid(height, width), at least 1x1, perhaps with a region (x0, y0, x1, y1)"
            )
        return grid

    def coarser(self, factor: int) -> Grid:
        """The same region with `factor` times fewer points per side.

        Raises:
            InrvidError: if the sides are not multiples of `factor`.
        """
        if self.height % factor or self.width % factor:
            raise InrvidError(
                f"size {self.height}x{self.width}: this model doubles its features, so that height and width must be "
                f"multiples of {factor}; the nearest is {_nearest(self.height, factor)}x{_nearest(self.width, factor)}"
            )
        return self._replace(height=self.height // factor, width=self.width // factor)

    def finer(self, factor: int) -> Grid:
        """The same region with `factor` times more points per side."""
        return self._replace(height=self.height * factor, width=self.width * factor)

    def band(self, first: int, count: int) -> Grid:
        """The points of `count` rows from `first` on, as a grid of their own."""
        x0, y0, x1, y1 = self.region
        top, bottom = (y0 + (y1 - y0) * row / self.height for row in (first, first + count))
        return Grid(count, self.width, (x0, top, x1, bottom))

    def steps(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """((x of the first column, step to the next), (y of the top row, step to the one below)); see `axes`."""
        x0, y0, x1, y1 = self.region
        step_x, step_y = 2 * (x1 - x0) / self.width, -2 * (y1 - y0) / self.height
        return (2 * x0 - 1, step_x), (1 - 2 * y0 + step_y, step_y)

    def axes(self, device: torch.device | None = None, dtype: torch.dtype = torch.float32) -> tuple[Tensor, Tensor]:
        """x `[width]` and y `[height]` in the papers' coordinates: [−1, 1), x to the right, y **upwards**.

        On the default region of n points, column j has x = 2j/n − 1 and row i (from the top)
        y = 2(n − 1 − i)/n − 1 (DIGAN's release; the last point does not reach 1).
        """
        x0, y0, x1, y1 = self.region
        # On the GPU itself, if they are wanted there: a graph that is being recorded takes nothing from the host.
        place = device if device is not None and device.type == "cuda" else torch.device("cpu")
        columns = torch.arange(self.width, dtype=torch.float64, device=place) / self.width
        rows = (torch.arange(self.height, dtype=torch.float64, device=place) + 1) / self.height
        x = 2 * (x0 + (x1 - x0) * columns) - 1
        y = 1 - 2 * (y0 + (y1 - y0) * rows)
        return x.to(device, dtype, non_blocking=True), y.to(device, dtype, non_blocking=True)


def _nearest(side: int, factor: int) -> int:
    return max(1, round(side / factor)) * factor
