"""Gifs: Pillow chooses 256 colours for each picture, libav writes the pictures as they come.

(Pillow writes gifs too, but holds all of a gif's pictures until the last one.)
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np

from ..errors import InrvidError
from ..files import replacing
from .base import Video, Write
from .libav import begin

HUNDREDTHS = Fraction(1, 100)
"""Of a second: the unit of a gif's times."""

SHORTEST = 2
"""Hundredths: browsers slow down what is faster than 50 pictures a second."""

FASTEST = 100 / SHORTEST
"""Frames a second."""


def check_rate(path: Path, video: Video) -> None:
    """Raises InrvidError: more frames a second than a gif shows, which would slow it down."""
    if video.fps > FASTEST:
        raise InrvidError(f"{path}: {video.fps:g} frames a second: a gif's go up to 50: give --fps 50, or write an mp4")


@contextlib.contextmanager
def gif(path: Path, video: Video) -> Iterator[Write]:
    """A gif that loops forever."""
    import av

    last = gif_durations(video.frames, video.fps)[-1] // 10  # the muxer would show it for a hundredth
    options = {"loop": "0", "final_delay": str(last)}
    with replacing(path) as temporary, av.open(str(temporary), "w", options=options) as container:
        stream = container.add_stream("gif", rate=100)
        stream.pix_fmt = "pal8"
        stream.codec_context.time_base = HUNDREDTHS
        starts = _starts(video.fps)

        def write(frames: np.ndarray) -> None:
            begin(path, container, stream, frames)
            for picture in frames:
                frame = av.VideoFrame.from_ndarray(_with_palette(picture), format="pal8")
                frame.pts, frame.time_base = next(starts), HUNDREDTHS
                container.mux(stream.encode(frame))

        yield write
        container.mux(stream.encode())


def _with_palette(picture: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Palette indices `[H, W]`, and 256 colours of alpha, red, green and blue."""
    from PIL import Image

    chosen = Image.fromarray(picture).quantize(256)
    colours = np.array(chosen.getpalette("RGB"), np.uint8).reshape(-1, 3)
    palette = np.zeros((256, 4), np.uint8)
    palette[:, 0], palette[: len(colours), 1:] = 255, colours
    return np.asarray(chosen), palette


def _starts(fps: float) -> Iterator[int]:
    """When each picture is shown, in hundredths."""
    start = number = 0
    while True:
        yield start
        start += max(SHORTEST, round(100 * (number + 1) / fps) - round(100 * number / fps))
        number += 1


def gif_durations(frames: int, fps: float) -> list[int]:
    """Duration of each picture of a gif, in milliseconds: whole hundredths of a second, at least 20 ms each; up to 50
    frames per second they add up to the video's length."""
    starts = _starts(fps)
    times = [next(starts) for _ in range(frames + 1)]
    return [10 * (end - start) for start, end in itertools.pairwise(times)]
