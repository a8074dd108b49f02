"""A learned phase for each cell of the native grid: the constant input of image GANs, seen as coordinates."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..config import PartConfig
from ..grid import Grid
from .base import CoordinateEncoding


class ConstantCoords(CoordinateEncoding):
    """A learned phase for each cell of the native grid.

        p(x, y) = P[row(y), column(x)]

    On any other grid, the table is interpolated bilinearly; beyond its border, the border values continue.
    """

    source = "INR-GAN (CVPR 2021)"

    class Config(PartConfig):
        pass

    def __init__(self, config: Config, *, dim: int, w_dim: int, size: int):
        super().__init__(config, dim=dim, w_dim=w_dim, size=size)
        self.native = Grid(size, size)
        self.table = nn.Parameter(torch.randn(1, dim, size, size))

    def predict(self, w: Tensor) -> dict[str, Tensor]:
        return {}

    def phase(self, predicted: dict[str, Tensor], grid: Grid) -> Tensor:
        table: Tensor = self.table
        if grid != self.native:
            table = F.grid_sample(
                table, self._positions(grid), mode="bilinear", padding_mode="border", align_corners=True
            )
        return table.permute(0, 2, 3, 1)

    def _positions(self, grid: Grid) -> Tensor:
        """Where the grid's points lie in the table: −1 at its first cell, 1 at its last, `[1, H, W, 2]`."""
        size = self.native.width
        x, y = grid.axes(self.table.device, self.table.dtype)
        column = (x + 1) / 2 * size
        row = size - 1 - (y + 1) / 2 * size
        column, row = (2 * index / max(size - 1, 1) - 1 for index in (column, row))
        rows, columns = torch.meshgrid(row, column, indexing="ij")
        return torch.stack([columns, rows], dim=-1)[None]
