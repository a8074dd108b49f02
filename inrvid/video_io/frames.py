"""A folder of pictures, one per frame, numbered from 000000 on. They replace those of an earlier video."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import InrvidError
from ..files import opened, refilling
from .base import Video, Write

FRAME = re.compile(r"[0-9]{6,}\.(png|jpg)")
"""Names of the frames in a folder."""

SIGNATURE = ("Software", "inrvid")
"""Text in each of them, by which they are recognised as ours."""

MARKS = (b"tEXt" + b"\0".join(part.encode() for part in SIGNATURE), b"\xff\xfe\x00\x11Software inrvid")
"""The signature as stored in a png, and in a jpg's comment (after a marker and a length)."""


@contextlib.contextmanager
def frames(folder: Path, video: Video) -> Iterator[Write]:
    """png, or jpg of quality 95."""
    from PIL import Image

    number = 0
    suffix = video.encoding.pictures or "png"
    options = _options(suffix)
    with refilling(folder, _earlier(folder)) as temporary:

        def write(pictures: np.ndarray) -> None:
            nonlocal number
            for picture in pictures:
                Image.fromarray(picture).save(temporary / f"{number:06d}.{suffix}", **options)
                number += 1

        yield write


def _options(suffix: str) -> dict[str, Any]:
    from PIL.PngImagePlugin import PngInfo

    if suffix == "jpg":
        return {"quality": 95, "subsampling": 0, "comment": " ".join(SIGNATURE)}
    signed = PngInfo()
    signed.add_text(*SIGNATURE)
    return {"pnginfo": signed}


def _earlier(folder: Path) -> list[str]:
    """Names of the frames in a folder; InrvidError if one is not ours."""
    names = [path.name for path in folder.iterdir() if FRAME.fullmatch(path.name)] if folder.is_dir() else []
    for name in names:
        with opened(folder / name) as file:
            start = file.read(256)
        if not any(mark in start for mark in MARKS):
            raise InrvidError(f"{folder}: holds pictures that are not inrvid's ({name}): give another folder")
    return names
