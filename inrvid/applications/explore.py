"""A model to play with: what a page shows for the settings of its controls.

`Explorer` draws; it knows of no page. φ of the last few videos is kept, so that another time or view of one only takes
rendering. `inrvid.applications.explore_page` is the page.
"""

from __future__ import annotations

import functools

import numpy as np
import torch
from torch import Tensor

from ..config import Seed, StrictModel
from ..errors import InrvidError
from ..generators.base import VideoGenerator
from ..generators.inr import VideoINR
from ..grid import Grid
from ..video_io import enlarge, to_uint8

KEPT = 8
"""Videos whose φ is kept."""


class Video(StrictModel):
    """Which video; hashable."""

    content: Seed = 0
    motion: Seed = 0
    """Seed of the motion; the same as the content's gives the video that `inrvid generate --seed` makes."""
    truncation: float = 1.0
    towards: Seed | None = None
    """Seed of another content and its motion, to which φ is interpolated."""
    weight: float = 0.0
    """λ: 0 is this video, 1 the other."""
    directions: tuple[tuple[str, float], ...] = ()
    """Names of directions of w, and how far to move along each."""


class View(StrictModel):
    """Which part of the plane: a square of side 1/zoom around (x, y), in unit coordinates, y down."""

    zoom: float = 1.0
    x: float = 0.5
    y: float = 0.5
    size: int | None = None
    """Pixels a side; None: the model's."""

    def grid(self, resolution: int) -> Grid:
        half = 0.5 / self.zoom
        side = self.size or resolution
        return Grid(side, side, (self.x - half, self.y - half, self.x + half, self.y + half))


class Explorer:
    """Draws a generator's videos.

    Args:
        directions: of w by name, `[w_dim]` or `[num_ws, w_dim]`.
    """

    def __init__(self, generator: VideoGenerator, directions: dict[str, Tensor] | None = None):
        self.generator = generator
        self.directions = directions or {}
        self._kept = functools.lru_cache(KEPT)(self._inr)

    @property
    def any_grid(self) -> bool:
        """Whether the model can draw other parts of the plane, and other sizes, than those that it learned."""
        try:
            self.generator.check_grid(
                View(zoom=0.5, size=2 * self.generator.resolution).grid(self.generator.resolution)
            )
        except InrvidError:
            return False
        return True

    @torch.no_grad()
    def picture(self, video: Video, t: float, view: View | None = None, least: int = 256) -> np.ndarray:
        """The frame at time t, in frames: uint8 `[H, W, 3]`, each pixel repeated until H is at least `least`.

        Raises:
            InrvidError: a view that the generator cannot draw, an unknown direction.
        """
        return self.clip(video, torch.tensor([t], dtype=torch.float64), view, least)[0]

    @torch.no_grad()
    def clip(self, video: Video, t: Tensor, view: View | None = None, least: int = 256) -> np.ndarray:
        """Frames at times t `[T]`: uint8 `[T, H, W, 3]`. Raises as `picture`."""
        grid = (view or View()).grid(self.generator.resolution)
        self.generator.check_grid(grid)
        frames = [to_uint8(some)[0] for some in self._kept(video).stream(t, grid)]
        return enlarge(np.concatenate(frames), max(1, -(-least // grid.height)))

    def _inr(self, video: Video) -> VideoINR:
        inr = self._of(video.content, video.motion, video)
        if video.towards is not None and video.weight:
            inr = inr.lerp(self._of(video.towards, video.towards, video), video.weight)
        return inr

    def _of(self, content: int, motion: int, video: Video) -> VideoINR:
        G = self.generator
        latents = G.sample_latents(1, seed=content)
        if motion != content:
            latents = latents.with_motion(G.sample_latents(1, seed=motion))
        ws = G.styles(latents, video.truncation)
        for name, strength in video.directions:
            if name not in self.directions:
                raise InrvidError(f"no direction '{name}': there are {', '.join(self.directions) or 'none'}")
            ws = ws + strength * self.directions[name].to(ws)
        return G.inr_of_ws(ws, latents.motion, latents.label)
