"""Frames in named rows and columns: what directions do at several strengths."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..video_io import enlarge, write_image
from .captions import captioned

SIDE, GAP = 128, 8
"""About how high a frame is shown, and the space between things, in pixels."""


def write_strips(path: Path, frames: np.ndarray, rows: Sequence[str], columns: Sequence[str]) -> None:
    """Frames uint8 `[rows, columns, H, W, 3]` as a png, the rows' names on their left, the columns' above them.

    Raises:
        OSError: it cannot be written.
    """
    frames = enlarge(frames, max(1, SIDE // frames.shape[2]))
    height, width = frames.shape[2:4]
    names = [captioned([name]) for name in rows]
    left = max(name.shape[1] for name in names) + 2 * GAP
    titles = [_placed(captioned([name]), captioned([name]).shape[0], width) for name in columns]
    picture = [np.concatenate([_white(titles[0].shape[0], left), *titles], axis=1)]
    for name, row in zip(names, frames, strict=True):
        picture.append(np.concatenate([_placed(name, height, left), *row], axis=1))
    whole = np.concatenate(picture)
    write_image(path, np.pad(whole, ((GAP, GAP), (0, GAP), (0, 0)), constant_values=255))


def _placed(text: np.ndarray, height: int, width: int) -> np.ndarray:
    """Text in the middle of a white box, cropped where it is too large."""
    box = _white(height, width)
    text = text[:height, :width]
    top, left = (height - text.shape[0]) // 2, (width - text.shape[1]) // 2
    box[top : top + text.shape[0], left : left + text.shape[1]] = text
    return box


def _white(height: int, width: int) -> np.ndarray:
    return np.full((height, width, 3), 255, np.uint8)
