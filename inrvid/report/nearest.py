"""A picture of generated clips, each above the real one that is nearest to it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from ..evaluation.clips import Window
from ..evaluation.nearest import Chosen, NearestPairs, Pair
from ..video_io import enlarge, strip, write_image
from .captions import captioned

COLUMNS, SIDE = 8, 128
"""How many frames of a clip are shown, and about how high, in pixels."""
GAP = 12
"""Pixels between pairs."""

LEGEND = "generated above, real below; distance 0: a copy, 1: as far as real clips are from each other"


def write_nearest(found: NearestPairs, path: Path) -> None:
    """Write one row per pair: distance and names, the generated clip's frames, those of the real one below; as PNG.

    Raises:
        InrvidError: a clip cannot be read again.
        OSError: the picture cannot be written.
    """
    rows = [captioned([heading(found), LEGEND])]
    rows += [_row(pair, number, found.window) for number, pair in enumerate(found.pairs, 1)]
    width = max(row.shape[1] for row in rows) + 2 * GAP
    rows = [np.pad(row, ((GAP, 0), (GAP, width - GAP - row.shape[1]), (0, 0)), constant_values=255) for row in rows]
    write_image(path, np.pad(np.concatenate(rows), ((0, GAP), (0, 0), (0, 0)), constant_values=255))


def heading(found: NearestPairs) -> str:
    """'8 of 2,048 generated clips, the nearest to one of 2,048 real ones by i3d: 16 frames'."""
    real, fake = found.clips
    shown = f"{len(found.pairs)} of {fake:,} generated clips"
    return f"{shown}, the nearest to one of {real:,} real ones by {found.detector}: {found.window}"


def _row(pair: Pair, number: int, window: Window) -> np.ndarray:
    caption = f"{number}.  distance {pair.distance:.3f}    {pair.fake.title}    real: {pair.real.title}"
    text = captioned([caption])
    frames = np.concatenate([_strip(pair.fake, window), _strip(pair.real, window)])
    width = max(text.shape[1], frames.shape[1])
    parts = [np.pad(x, ((0, 0), (0, width - x.shape[1]), (0, 0)), constant_values=255) for x in (text, frames)]
    return np.concatenate(parts)


def _strip(chosen: Chosen, window: Window) -> np.ndarray:
    """Frames from left to right, about `SIDE` pixels high."""
    picture = strip(chosen.read(window)[None], rows=1, columns=COLUMNS)
    height = picture.shape[0]
    if height >= 2 * SIDE:
        return np.asarray(Image.fromarray(picture).reduce(height // SIDE))
    return enlarge(picture, max(1, round(SIDE / height)))
