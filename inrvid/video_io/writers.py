"""Writing videos in the format that the file's suffix names."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..errors import InrvidError
from .base import Encoding, Video, Write, Writer
from .encoded import check_crf, mp4, webm
from .frames import frames
from .gif import check_rate, gif
from .npz import npz
from .still import check_single, still

JPG = 65_500
"""Longest side of a jpg, pixels."""

LIBAV = 2**31 // 8
"""What (height + 128) × (width + 128) has to stay below."""


class Format(NamedTuple):
    """A writer, and what it can write.

    Attributes:
        takes: the fields of `Encoding` that it uses.
        longest: side of a frame, pixels, as measured; None: whatever fits into memory.
        check: raises InrvidError for what else it cannot write.
        by_libav: which takes no frames of 268 million pixels or more.
    """

    writer: Writer
    takes: frozenset[str] = frozenset()
    longest: int | None = None
    check: Callable[[Path, Video], None] = lambda path, video: None
    by_libav: bool = False


FORMATS = {
    ".mp4": Format(mp4, frozenset({"crf", "lossless", "fragmented"}), 16_384, check_crf, by_libav=True),
    ".webm": Format(webm, frozenset({"crf", "lossless"}), 65_536, by_libav=True),
    ".gif": Format(gif, longest=65_535, check=check_rate, by_libav=True),
    ".npz": Format(npz),
    ".png": Format(still, check=check_single),
    ".jpg": Format(still, longest=JPG, check=check_single),
    "": Format(frames, frozenset({"pictures"})),
}
"""By suffix; none: a folder of frames."""

WRITABLE = tuple(FORMATS)
KNOWN = "use .mp4, .webm, .gif, .npz, or a folder name for png or jpg frames (.png or .jpg: for one frame)"


def check_path(path: Path, encoding: Encoding | None = None) -> None:
    """Raise InrvidError if no video can be written there: no name, an unknown suffix, options of another format, or
    options that exclude each other."""
    suffix = path.suffix.lower()
    if not path.name or path.name.lower() in FORMATS:
        raise InrvidError(f"{path}: give the name of a file, such as out.mp4, or of a new folder")
    if suffix not in FORMATS:
        raise InrvidError(f"{path}: cannot write '{suffix}': {KNOWN}")
    if encoding is not None and encoding.lossless and encoding.crf is not None:
        raise InrvidError("--lossless and --crf: a lossless file has no quality to choose: give one of them")
    given = set() if encoding is None else {name for name in Encoding.model_fields if getattr(encoding, name)}
    given |= {"crf"} if encoding is not None and encoding.crf is not None else set()
    for name in sorted(given - FORMATS[suffix].takes - {"fragmented"}):
        of = ", ".join(suffix or "a folder" for suffix, known in FORMATS.items() if name in known.takes)
        raise InrvidError(f"{path}: {name} is only for {of}")


def check_video(
    path: Path, fps: float, count: int, encoding: Encoding | None = None, size: tuple[int, int] | None = None
) -> None:
    """Raise InrvidError if `writing` could not write a video of `count` frames of size (height, width): the time to
    know it is before they are drawn."""
    check_path(path, encoding)
    known = FORMATS[path.suffix.lower()]
    known.check(path, Video(fps, count, encoding or Encoding()))
    longest = JPG if encoding is not None and encoding.pictures == "jpg" else known.longest
    if size is not None and longest is not None and max(size) > longest:
        raise InrvidError(
            f"{path}: frames of {size[0]}x{size[1]}: {path.suffix or 'a jpg'} holds up to {longest} pixels a side: "
            "smaller ones, or another format"
        )
    if size is not None and known.by_libav and (size[0] + 128) * (size[1] + 128) >= LIBAV:
        raise InrvidError(f"{path}: frames of {size[0]}x{size[1]}: too many pixels: smaller ones, or another format")


@contextmanager
def writing(path: str | Path, fps: float, count: int, encoding: Encoding | None = None) -> Iterator[Write]:
    """Write a video of `count` frames as they come: `write(frames)`, uint8 `[n, H, W, 3]`.

    What was at `path` stays until the block ends, and is kept if the block ends with an error. Memory does not grow
    with the video's length.

        with writing("out.mp4", fps=25, count=100) as write:
            for frames in some_at_a_time:
                write(frames)

    Raises:
        InrvidError: as `check_video`, or a folder with numbered pictures that are not ours.
        OSError: it cannot be written.
    """
    path, encoding = Path(path), encoding or Encoding()
    check_video(path, fps, count, encoding)
    with FORMATS[path.suffix.lower()].writer(path, Video(fps, count, encoding)) as write:
        yield write


def write_video(path: str | Path, video: np.ndarray, fps: float, encoding: Encoding | None = None) -> None:
    """Write a whole video, uint8 `[T, H, W, 3]`, in the format of the path's suffix. Raises as `writing`."""
    with writing(path, fps, len(video), encoding) as write:
        write(video)
