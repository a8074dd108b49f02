"""A projection as a picture: what was given, what was found, and where they differ."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..applications.project import Projection
from ..video_io import write_image
from .captions import captioned, rows_of_frames

COLUMNS = 16
"""Most frames that are shown."""

TIMES = 4
"""Errors are drawn this many times larger."""


def write_projection(found: Projection, path: Path) -> None:
    """Write target, projection and error one below the other, time from left to right; as PNG. Raises OSError."""
    count = len(found.times)
    shown = np.argsort(found.times)[np.linspace(0, count - 1, min(COLUMNS, count)).round().astype(int)]
    error = np.abs(found.target.astype(int) - found.drawn.astype(int)) * TIMES
    rows = [
        ("target", found.target[shown], [True] * len(shown)),
        ("projection", found.drawn[shown], [True] * len(shown)),
        (f"error, {TIMES} times", np.minimum(error, 255).astype(np.uint8)[shown], [True] * len(shown)),
    ]
    picture = rows_of_frames(rows, [f"t = {found.times[i]:g}" for i in shown], [False] * len(shown))
    write_image(path, below(captioned([heading(found)]), picture))


def heading(found: Projection) -> str:
    """'16 frames: PSNR 38.2 dB, SSIM 0.981; start 1 of 4'."""
    frames = f"{len(found.times)} frame{'s' * (len(found.times) > 1)}"
    alike = f"PSNR {np.mean(found.psnr):.1f} dB"
    alike += "" if found.ssim is None else f", SSIM {np.mean(found.ssim):.3f}"
    return f"{frames}: {alike}; start {found.start + 1} of {len(found.distances)}"


def below(text: np.ndarray, picture: np.ndarray) -> np.ndarray:
    """A picture below a line of text; a margin around both."""
    width = max(text.shape[1], picture.shape[1]) + 12
    padded = [
        np.pad(part, ((6, 0), (6, width - 6 - part.shape[1]), (0, 0)), constant_values=255) for part in (text, picture)
    ]
    return np.concatenate(padded)
