"""Writing videos in the format that the file's suffix names."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..errors import InrvidError
from .base import Encoding, Video, Write, Writer
from .encoded import mp4, webm
from .frames import frames
from .gif import gif
from .npz import npz
from .still import still


class Format(NamedTuple):
    """A writer, and the fields of `Encoding` that it uses."""

    writer: Writer
    takes: frozenset[str]


FORMATS = {
    ".mp4": Format(mp4, frozenset({"crf", "lossless", "fragmented"})),
    ".webm": Format(webm, frozenset({"crf", "lossless"})),
    ".gif": Format(gif, frozenset()),
    ".npz": Format(npz, frozenset()),
    ".png": Format(still, frozenset()),
    ".jpg": Format(still, frozenset()),
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


@contextmanager
def writing(path: str | Path, fps: float, count: int, encoding: Encoding | None = None) -> Iterator[Write]:
    """Write a video of `count` frames as they come: `write(frames)`, uint8 `[n, H, W, 3]`.

    What was at `path` stays until the block ends, and is kept if the block ends with an error. Memory does not grow
    with the video's length.

        with writing("out.mp4", fps=25, count=100) as write:
            for frames in some_at_a_time:
                write(frames)

    Raises:
        InrvidError: as `check_path`, a folder with numbered pictures that are not ours, or a picture of other than one
            frame.
        OSError: it cannot be written.
    """
    path, encoding = Path(path), encoding or Encoding()
    check_path(path, encoding)
    with FORMATS[path.suffix.lower()].writer(path, Video(fps, count, encoding)) as write:
        yield write


def write_video(path: str | Path, video: np.ndarray, fps: float, encoding: Encoding | None = None) -> None:
    """Write a whole video, uint8 `[T, H, W, 3]`, in the format of the path's suffix. Raises as `writing`."""
    with writing(path, fps, len(video), encoding) as write:
        write(video)
