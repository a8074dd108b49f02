"""Frames as bytes, a few at a time: memory does not grow with a video's length, and hardly with its size.

Frames are always drawn in batches of one size, even if fewer are wanted: libraries of matrix products round
differently for another number of rows, and a frame should be the same, bit for bit, in whatever video it is. This does
not help layers whose width is no multiple of four: without AVX-512 they round by the row's number, too (MKL).
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator

import numpy as np
import psutil
import torch
from torch import Tensor

from ..errors import InrvidError
from ..generators.inr import FRAMES_AT_ONCE, VideoINR
from ..grid import Grid
from ..video_io import grid as tiled
from ..video_io import to_uint8

POINTS_AT_ONCE = 1 << 19
"""Pixels drawn at a time, over all frames, unless a single frame has more."""

KEPT = 4
"""Videos whose φ is kept from one piece to the next; with more videos in a picture, φ is computed again."""


def frames_at_once(grid: Grid) -> int:
    return max(1, min(FRAMES_AT_ONCE, POINTS_AT_ONCE // (grid.height * grid.width)))


def check_memory(needed: int, what: str, wanted: str) -> None:
    """Raises InrvidError if `needed` bytes, for `what`, are not free; `wanted`: what should be smaller."""
    free = psutil.virtual_memory().available
    if needed > free:
        raise InrvidError(
            f"{what} need {needed / 2**30:.1f} GiB, {free / 2**30:.1f} GiB of memory are free: ask for a smaller "
            f"{wanted}"
        )


def pieces(t: Tensor, grid: Grid) -> list[Tensor]:
    """Times t `[T]`, split into the pieces in which they are drawn."""
    return list(t.split(frames_at_once(grid)))


@torch.no_grad()
def draw(inr: VideoINR, t: Tensor, grid: Grid) -> np.ndarray:
    """The frames of one video at times t `[T]`: uint8 `[T, H, W, 3]`."""
    at_once = frames_at_once(grid)
    parts = []
    for some in t.split(at_once):
        filled = torch.cat([some, some[-1:].expand(at_once - len(some))])
        parts.append(to_uint8(inr(filled, grid)[0, : len(some)]))
    return np.concatenate(parts)


class Scene:
    """What one file shows: videos at the same times, side by side.

    Args:
        videos: how many, and `inr(i)`, φ of the i-th.
        columns: of the picture.
        difference: after the videos, show the difference of the first two, |a − b| of each byte.
    """

    def __init__(
        self, videos: int, inr: Callable[[int], VideoINR], grid: Grid, *, columns: int = 1, difference: bool = False
    ):
        self.videos, self.grid, self.columns, self.difference = videos, grid, columns, difference
        self.inr = functools.lru_cache(maxsize=KEPT)(inr)

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of the picture, pixels."""
        cells = self.videos + self.difference
        return -(-cells // self.columns) * self.grid.height, self.columns * self.grid.width

    def draw(self, t: Tensor) -> np.ndarray:
        """Times t `[T]` → uint8 `[T, H', W', 3]`."""
        cells = [draw(self.inr(number), t, self.grid) for number in range(self.videos)]
        if self.difference:
            cells.append(np.maximum(cells[0], cells[1]) - np.minimum(cells[0], cells[1]))
        return cells[0] if len(cells) == 1 else tiled(np.stack(cells), self.columns)

    def stream(self, t: Tensor) -> Iterator[np.ndarray]:
        return (self.draw(some) for some in pieces(t, self.grid))
