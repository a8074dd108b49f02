"""A video of one frame, as a picture."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ..errors import InrvidError
from .base import Video, Write
from .pictures import write_image


def check_single(path: Path, video: Video) -> None:
    """Raises InrvidError: other than one frame."""
    if video.frames != 1:
        raise InrvidError(f"{path}: a picture holds one frame, not {video.frames}: --frames 1, or the name of a folder")


@contextlib.contextmanager
def still(path: Path, video: Video) -> Iterator[Write]:
    """png or jpg."""
    pictures: list[np.ndarray] = []
    yield pictures.extend
    if len(pictures) != 1:
        raise ValueError(f"{len(pictures)} frames came, 1 was announced")
    write_image(path, pictures[0])
