"""A line of pixels over time: even motion leaves slanted lines, flicker leaves noise, what stands still leaves bars."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from ...generators.base import VideoGenerator
from ...latents import Latents
from ...video_io import to_uint8
from .finding import Finding


@torch.no_grad()
def slices(generator: VideoGenerator, latents: Latents, t: Tensor, place: float = 0.5) -> Finding:
    """For each video, one row of every frame, stacked downwards (x–t), and one column, stacked to the right (t–y).

    Example:
        finding = slices(generator, generator.sample_latents(4), torch.arange(128.0))

    Args:
        t: `[T]`, in frames.
        place: of the row, from the top, and of the column, from the left: 0 … 1.
    """
    index = min(int(place * generator.resolution), generator.resolution - 1)
    rows, columns = [], []
    for frames in generator.inr(latents).stream(t.to(generator.device)):
        pixels = to_uint8(frames)  # [B, n, H, W, 3]
        rows.append(pixels[:, :, index])
        columns.append(pixels[:, :, :, index])
    x_t, t_y = np.concatenate(rows, axis=1), np.concatenate(columns, axis=1).swapaxes(1, 2)
    about = (
        f"One line of pixels over {len(t)} frames, of {len(latents)} videos. x–t: row {index} of every frame, "
        f"time goes down. t–y: column {index} of every frame, time goes to the right. What moves evenly leaves "
        "slanted lines, what flickers noise, what stands bars."
    )
    pictures = {"x-t": _beside(x_t, axis=1), "t-y": _beside(t_y, axis=0)}
    return Finding("Slices through time", about, pictures=pictures, numbers={"frames": len(t), "line": index})


def _beside(pictures: np.ndarray, axis: int) -> np.ndarray:
    """`[B, H, W, 3]` beside (axis 1) or below (axis 0) each other, with a white line between them."""
    gaps = [(0, 0), (0, 0), (0, 0)]
    gaps[axis] = (0, 2)
    return np.concatenate([np.pad(picture, gaps, constant_values=255) for picture in pictures], axis=axis)
