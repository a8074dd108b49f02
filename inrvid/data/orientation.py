"""Which way up a picture is shown: rotated by quarter turns, mirrored."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np


class Orientation(NamedTuple):
    """How stored pixels become the shown ones: rows and columns exchanged first, then the order of each reversed."""

    transposed: bool = False
    rows_reversed: bool = False
    columns_reversed: bool = False

    def size(self, height: int, width: int) -> tuple[int, int]:
        """(height, width) as shown."""
        return (width, height) if self.transposed else (height, width)

    def apply(self, picture: np.ndarray) -> np.ndarray:
        """`[H, W, 3]` as stored → as shown."""
        if self == Orientation():
            return picture
        picture = picture.swapaxes(0, 1) if self.transposed else picture
        picture = picture[::-1] if self.rows_reversed else picture
        picture = picture[:, ::-1] if self.columns_reversed else picture
        return np.ascontiguousarray(picture)


_EXIF = {
    1: Orientation(),
    2: Orientation(columns_reversed=True),
    3: Orientation(rows_reversed=True, columns_reversed=True),
    4: Orientation(rows_reversed=True),
    5: Orientation(transposed=True),
    6: Orientation(transposed=True, columns_reversed=True),
    7: Orientation(transposed=True, rows_reversed=True, columns_reversed=True),
    8: Orientation(transposed=True, rows_reversed=True),
}


def of_exif(number: object) -> Orientation:
    """From EXIF's tag 0x0112. Undefined numbers mean 'as stored'."""
    return _EXIF.get(number, Orientation()) if isinstance(number, int) else Orientation()


def of_display_matrix(matrix: Sequence[int]) -> Orientation:
    """From libav's matrix (a, b, u, c, d, v, x, y, w), by which (x, y) is shown at (a·x + c·y, b·x + d·y).

    Angles in between are rounded to the nearest quarter turn.
    """
    a, b, _, c, d = matrix[:5]
    if abs(b) + abs(c) > abs(a) + abs(d):
        return Orientation(True, rows_reversed=b < 0, columns_reversed=c < 0)
    return Orientation(False, rows_reversed=d < 0, columns_reversed=a < 0)


def of_angle(degrees: float) -> Orientation:
    """From a counterclockwise rotation, rounded to the nearest quarter turn."""
    return (_EXIF[1], _EXIF[8], _EXIF[3], _EXIF[6])[round(degrees / 90) % 4]
