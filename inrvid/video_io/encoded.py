"""Videos that libav encodes: mp4 (H.264) and webm (VP9).

The same frames give the same file: one thread each, no random identifiers.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import InrvidError
from ..files import replacing
from .base import Video, Write
from .libav import begin

FINEST_RATE = 1001
"""Largest denominator of a frame rate: 30000/1001 and the like are exact."""


def check_crf(path: Path, video: Video) -> None:
    """Raises InrvidError: an mp4's scale of quality ends before a webm's."""
    if (video.encoding.crf or 0) > 51:
        raise InrvidError(f"{path}: crf {video.encoding.crf}: an mp4's goes up to 51")


@contextlib.contextmanager
def mp4(path: Path, video: Video) -> Iterator[Write]:
    """H.264; if lossless, its 4:4:4 profile in RGB, which browsers do not show."""
    crf = 12 if video.encoding.crf is None else video.encoding.crf
    lossless = video.encoding.lossless
    # x264 with several threads, or with its macroblock tree (which reads uninitialised memory), encodes the same video
    # differently from run to run.
    options = {"crf": "0" if lossless else str(crf), "preset": "medium", "x264-params": "mbtree=0"}
    muxer = {"movflags": "hybrid_fragmented"} if video.encoding.fragmented else {}
    codec, pixels = ("libx264rgb", "rgb24") if lossless else ("libx264", "yuv420p")
    with _encoding(path, video, codec, pixels, options, muxer) as write:
        yield write


@contextlib.contextmanager
def webm(path: Path, video: Video) -> Iterator[Write]:
    """VP9; lossless in RGB."""
    lossless = video.encoding.lossless
    quality = {"lossless": "1"} if lossless else {"crf": str(20 if video.encoding.crf is None else video.encoding.crf)}
    options = {**quality, "b": "0", "deadline": "good", "cpu-used": "2", "row-mt": "0"}
    with _encoding(
        path, video, "libvpx-vp9", "gbrp" if lossless else "yuv420p", options, {"fflags": "+bitexact"}
    ) as write:
        yield write


@contextlib.contextmanager
def _encoding(
    path: Path, video: Video, codec: str, pixels: str, options: Mapping[str, str], muxer: Mapping[str, str]
) -> Iterator[Write]:
    import av

    with replacing(path) as temporary, av.open(str(temporary), "w", options=dict(muxer)) as container:
        stream = container.add_stream(codec, rate=Fraction(video.fps).limit_denominator(FINEST_RATE))
        stream.pix_fmt, stream.options = pixels, dict(options)
        stream.codec_context.thread_count = 1
        _say_colours(stream.codec_context, is_rgb=pixels != "yuv420p")

        def write(frames: np.ndarray) -> None:
            frames = _of_even_sides(frames) if pixels == "yuv420p" else frames
            begin(path, container, stream, frames)
            for picture in frames:
                container.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")))

        yield write
        container.mux(stream.encode())


def _say_colours(codec: Any, *, is_rgb: bool) -> None:
    """State what libav makes of RGB unless told otherwise: BT.601's matrix and limited range. If a large video does not
    state its colours, players assume BT.709."""
    matrix = 0 if is_rgb else 6  # RGB, SMPTE 170M
    codec.colorspace, codec.color_primaries, codec.color_trc = matrix, 6, 6
    codec.color_range = 2 if is_rgb else 1  # full, limited


def _of_even_sides(frames: np.ndarray) -> np.ndarray:
    """yuv420p, the format that every player shows, needs even sides: the last row and column are repeated."""
    height, width = frames.shape[1:3]
    return np.pad(frames, ((0, 0), (0, height % 2), (0, width % 2), (0, 0)), mode="edge")
