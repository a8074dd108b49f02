"""Lines of text as pictures, and rows of frames with their names before them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from ..text import printable
from ..video_io import enlarge

LINE, TEXT = 20, 15
"""Heights of a line of text and of its letters, in pixels."""
INK, GIVEN, EMPTY = "#1f2430", (42, 111, 187), 232
"""Colours of text, of the bar above frames that were given, and of places without a frame."""
SIDE, GAP = 96, 6
"""Frames of fewer pixels a side are enlarged to about the first; the second is the space between them, in pixels."""


def captioned(lines: Sequence[str]) -> np.ndarray:
    """Lines of text, black on white: uint8 `[H, W, 3]`."""
    font = ImageFont.load_default(TEXT)
    lines = [printable(line).replace("\n", " ") for line in lines]
    width = max(font.getlength(line) for line in lines)
    image = Image.new("RGB", (int(width) + 1, LINE * len(lines)), "white")
    draw = ImageDraw.Draw(image)
    for number, line in enumerate(lines):
        draw.text((0, LINE * (number + 0.5)), line, INK, font, anchor="lm")
    return np.asarray(image)


def rows_of_frames(
    rows: Sequence[tuple[str, np.ndarray, Sequence[bool]]], heads: Sequence[str], given: Sequence[bool]
) -> np.ndarray:
    """Rows of frames, time from left to right, as a picture.

    Args:
        rows: (name, uint8 `[T, H, W, 3]`, which of its frames exist).
        heads: titles of the columns.
        given: which columns get a bar above them.
    """
    side = max(rows[0][1].shape[1:3])
    factor = max(1, round(SIDE / side))
    height, width = (n * factor for n in rows[0][1].shape[1:3])
    names = _as_wide([captioned([name]) for name, _, _ in rows])
    top = [np.full((LINE, names[0].shape[1], 3), 255, np.uint8)]
    top += [_head(head, width, bar) for head, bar in zip(heads, given, strict=True)]
    lines = [_row(top)]
    for name, (_, frames, there) in zip(names, rows, strict=True):
        blank = np.full((height, width, 3), EMPTY, np.uint8)
        cells = [enlarge(f, factor) if known else blank for f, known in zip(frames, there, strict=True)]
        lines.append(_row([_middle(name, height), *cells]))
    picture = np.concatenate(lines)
    return np.pad(picture, ((GAP, GAP), (GAP, GAP), (0, 0)), constant_values=255)


def _row(cells: Sequence[np.ndarray]) -> np.ndarray:
    padded = [np.pad(cell, ((0, GAP), (0, GAP), (0, 0)), constant_values=255) for cell in cells]
    return np.concatenate(padded, axis=1)


def _as_wide(pictures: Sequence[np.ndarray]) -> list[np.ndarray]:
    width = max(picture.shape[1] for picture in pictures)
    return [np.pad(p, ((0, 0), (0, width - p.shape[1]), (0, 0)), constant_values=255) for p in pictures]


def _middle(text: np.ndarray, height: int) -> np.ndarray:
    """A line of text, vertically centred in a row and cropped to it."""
    above = max(0, (height - text.shape[0]) // 2)
    below = max(0, height - text.shape[0] - above)
    return np.pad(text[:height], ((above, below), (0, 0), (0, 0)), constant_values=255)


def _head(text: str, width: int, bar: bool) -> np.ndarray:
    line = captioned([text])[:, :width]
    cell = np.pad(line, ((0, 0), (0, width - line.shape[1]), (0, 0)), constant_values=255)
    if bar:
        cell[-3:] = GIVEN
    return cell
