"""Features without a network, for a quick score: simple statistics, each with a name.

Frames are area-resized to cells × cell_size pixels a side and averaged over each cell of a coarse grid:

- spatial: the colour of the middle frame and the strength of its edges;
- temporal: the speed of change |f(t+1) − f(t)|, its acceleration |f(t+1) − 2 f(t) + f(t−1)|, and the mean
  optical flow (Lucas & Kanade, IJCAI 1981), one least-squares solution per cell over all its pixels and times.

Each is divided by a fixed scale, never by the data's own spread, so that scores of different data sets and
runs have the same unit. The scales are such that procedural training videos score about 1 (spatial) and a few
tenths (temporal) against held-out ones with 512 clips, and noise hundreds. The score ranks runs on one data set;
it says nothing about fine detail and cannot be compared with FVD.
"""

from __future__ import annotations

from typing import Annotated

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor

from ...config import PartConfig
from .base import Detector, DetectorDigest

COLOUR_SCALE = 0.3
EDGE_SCALE = 0.05
SPEED_SCALE = 0.1
ACCELERATION_SCALE = 0.2
FLOW_SCALE = 0.5
"""One unit of a feature: in units of the frames' [−1, 1]; edges: in those per pixel; flow: in pixels per frame."""

FLOW_PRIOR = 1e-3
"""Added to the mean squared gradients of a cell, to pull flow to 0 where no texture shows it."""

LUMA = (0.299, 0.587, 0.114)


class Statistics(Detector):
    """Colours and edges (`spatial`), change and flow (`temporal`), by cells of a coarse grid: needs no weights."""

    class Config(PartConfig):
        cells: Annotated[int, Field(ge=1, le=16)] = Field(
            4, description="cells per side over which statistics are averaged"
        )
        cell_size: Annotated[int, Field(ge=2, le=64)] = Field(
            8, description="side of a cell in pixels; frames are area-resized to cells × cell_size"
        )

    config: Config
    min_frames = 3

    def __init__(self, config: Config):
        super().__init__(config)
        self.side = config.cells * config.cell_size
        columns = 4 * config.cells**2
        self.parts = {"spatial": slice(0, columns), "temporal": slice(columns, 2 * columns)}
        self.digest = DetectorDigest(
            name="statistics",
            features=f"colours, edges, change, flow ({2 * columns})",
            resize=f"means over areas, squashed to {self.side}×{self.side}",
        )

    def _features(self, clips: Tensor) -> Tensor:
        frames = self._resized(clips)
        return torch.cat([self._spatial(frames[:, frames.shape[1] // 2]), self._temporal(frames)], dim=1)

    def _resized(self, frames: Tensor) -> Tensor:
        images = frames.flatten(0, 1).float()
        resized = F.interpolate(images, size=(self.side, self.side), mode="area")
        return resized.unflatten(0, frames.shape[:2])

    def _spatial(self, image: Tensor) -> Tensor:
        """Features of images `[B, 3, side, side]`."""
        edges = torch.hypot(*_gradients(_grey(image)))
        return torch.cat([self._cells(image) / COLOUR_SCALE, self._cells(edges[:, None]) / EDGE_SCALE], dim=1)

    def _temporal(self, frames: Tensor) -> Tensor:
        """Features of clips `[B, T, 3, side, side]`."""
        change = frames.diff(dim=1)
        speed = self._cells(change.abs().mean((1, 2))[:, None])
        acceleration = self._cells(change.diff(dim=1).abs().mean((1, 2))[:, None])
        flow = self._flow(_grey(frames))
        return torch.cat([speed / SPEED_SCALE, acceleration / ACCELERATION_SCALE, flow / FLOW_SCALE], dim=1)

    def _flow(self, grey: Tensor) -> Tensor:
        """Motion (x right, y down; pixels a frame) of each cell of `[B, T, side, side]`, `[B, 2·cells²]`.

        Minimises Σ (Ix u + Iy v + It)² over a cell: [Ixx Ixy; Ixy Iyy] (u, v) = −(Ixt, Iyt).
        """
        dt = grey.diff(dim=1)
        dx, dy = _gradients((grey[:, 1:] + grey[:, :-1]) / 2)
        products = torch.stack([dx * dx, dx * dy, dy * dy, dx * dt, dy * dt], dim=1).mean(2)
        xx, xy, yy, xt, yt = self._cells(products).unflatten(1, (5, -1)).unbind(1)
        xx, yy = xx + FLOW_PRIOR, yy + FLOW_PRIOR
        determinant = xx * yy - xy * xy
        return torch.cat([(xy * yt - yy * xt) / determinant, (xy * xt - xx * yt) / determinant], dim=1)

    def _cells(self, maps: Tensor) -> Tensor:
        """Cell averages of `[B, C, side, side]`: `[B, C·cells²]`."""
        return F.avg_pool2d(maps, self.config.cell_size).flatten(1)


def _grey(frames: Tensor) -> Tensor:
    """`[..., 3, H, W]` → `[..., H, W]`."""
    # No matrix product, which a GPU may round to TF32: scores are the same whatever a training's precision is.
    red, green, blue = frames.unbind(-3)
    return LUMA[0] * red + LUMA[1] * green + LUMA[2] * blue


def _gradients(grey: Tensor) -> tuple[Tensor, Tensor]:
    """Central differences along x and y of `[..., H, W]` (one-sided at the borders), per pixel."""
    dy, dx = torch.gradient(grey, dim=(-2, -1))
    return dx, dy
