"""Exact random access to the frames of a video file, through PyAV.

A frame is identified by its presentation time, which the index holds for every frame. To reach one, decoding
starts at the key frame at or before it and goes on until a frame with that very time comes out. Times that do
not come out that way (a container that lands too late, frames that open a GOP) are looked for from the start.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.video.reformatter import VideoReformatter

from ..errors import DataError
from .video_info import VideoInfo

# Broken files are reported by exceptions that name them; libav's own lines on stderr would say it twice.
av.logging.set_libav_level(av.logging.PANIC)

OPEN: dict[str, Any] = {"metadata_errors": "ignore"} if int(av.__version__.split(".")[0]) < 19 else {}
"""Titles that are no UTF-8 are no reason to refuse a video; from 19 on, PyAV does not ask."""

READ_ON = 8
"""With at most so many frames left before the next key frame, decoding on is cheaper than seeking to it."""


def read_frames(path: Path, info: VideoInfo, frames: Sequence[int]) -> np.ndarray:
    """Frames of a file as uint8 RGB `[len(frames), H, W, 3]`, at the file's size.

    `frames` are numbers of 0 … info.frames − 1 in display order, in any order, repetitions allowed.
    Raises DataError, naming the file, if they cannot be decoded.
    """
    found = dict(pictures(path, info, frames))
    return np.stack([found[number] for number in frames])


def pictures(path: Path, info: VideoInfo, frames: Sequence[int]) -> Iterator[tuple[int, np.ndarray]]:
    """Each wanted frame once, as (number, uint8 RGB `[H, W, 3]`), in the order in which they are decoded.

    Raises DataError, naming the file, if one cannot be decoded.
    """
    wanted = sorted(set(frames))
    if wanted and not 0 <= wanted[0] <= wanted[-1] < info.frames:
        raise DataError(f"{path}: frames {wanted[0]} … {wanted[-1]} of {info.frames}")
    try:
        yield from _seek_and_read(path, info, wanted) if info.seekable else _count_and_read(path, wanted)
    except UnreadableError as error:
        raise DataError(f"{path}: {error}") from error


class UnreadableError(Exception):
    """Why a file cannot be decoded; the message is the reason alone, without the file's name."""


@contextlib.contextmanager
def opened(path: Path) -> Iterator[tuple[Any, Any]]:
    """(container, its first video stream). Whatever goes wrong inside is raised as `UnreadableError`."""
    try:
        container = av.open(str(path), **OPEN)
    except (av.FFmpegError, OSError) as error:
        raise UnreadableError(f"not a video, or cut short: {error.strerror}") from error
    with container:
        if not container.streams.video:
            raise UnreadableError("no video stream (audio only)" if container.streams.audio else "no video stream")
        stream = container.streams.video[0]
        if stream.codec_context is None:
            raise UnreadableError("its codec is not supported by this build of PyAV")
        # Parallelism is over files and loader workers; threads inside a decoder only cost their start.
        stream.codec_context.thread_count = 1
        stream.codec_context.thread_type = "NONE"
        try:
            yield container, stream
        except (av.FFmpegError, ValueError) as error:
            raise UnreadableError(f"broken: {getattr(error, 'strerror', None) or error}") from error


class ToRgb:
    """Converts decoded frames to uint8 RGB `[H, W, 3]`, upright: with the rotation that the file asks for."""

    def __init__(self) -> None:
        self._reformatter = VideoReformatter()  # one for many frames: setting it up costs more than its work

    def __call__(self, frame: Any) -> np.ndarray:
        # One thread: by default it starts as many as there are cores, anew for each clip.
        picture = self._reformatter.reformat(frame, format="rgb24", threads=1).to_ndarray()
        quarters = round(getattr(frame, "rotation", 0) / 90)  # counterclockwise
        return np.ascontiguousarray(np.rot90(picture, quarters)) if quarters else picture


def _seek_and_read(path: Path, info: VideoInfo, wanted: list[int]) -> Iterator[tuple[int, np.ndarray]]:
    ticks, keys, rgb = info.ticks.array(), info.keys.array(), ToRgb()
    missed: list[int] = []
    with opened(path) as (container, stream):
        for start, run in _runs(keys, wanted):
            pending = {int(ticks[number]): number for number in run}
            with contextlib.suppress(av.FFmpegError):  # cannot seek, or breaks off: they count as missed
                container.seek(int(ticks[start]), stream=stream)
                yield from _read_on(container, stream, pending, rgb, skip=True)
            missed += pending.values()
    if missed:
        pending = {int(ticks[number]): number for number in missed}
        with opened(path) as (container, stream):
            yield from _read_on(container, stream, pending, rgb, skip=False)
        if pending:
            raise UnreadableError(f"frame {min(pending.values())} cannot be decoded")


def _read_on(
    container: Any, stream: Any, pending: dict[int, int], rgb: ToRgb, skip: bool
) -> Iterator[tuple[int, np.ndarray]]:
    """Decodes until all of `pending` (time → number) has come out or been passed; removes what came out.

    `skip`: leave out frames that are neither wanted nor needed to decode others.
    """
    last = max(pending)
    for packet in container.demux(stream):
        wanted = packet.pts is None or packet.pts in pending
        stream.codec_context.skip_frame = "NONREF" if skip and not wanted else "DEFAULT"
        for frame in packet.decode():
            if frame.pts in pending and not frame.is_corrupt:
                number = pending.pop(frame.pts)
                yield number, rgb(frame)
            if not pending or (frame.pts is not None and frame.pts > last):
                return


def _count_and_read(path: Path, wanted: list[int]) -> Iterator[tuple[int, np.ndarray]]:
    rgb, pending = ToRgb(), set(wanted)
    with opened(path) as (container, stream):
        for number, frame in enumerate(container.decode(stream)):
            if number in pending:
                yield number, rgb(frame)
                pending.remove(number)
            if not pending:
                return
    raise UnreadableError(f"frame {min(pending)} cannot be decoded")


def _runs(keys: np.ndarray, wanted: list[int]) -> Iterator[tuple[int, list[int]]]:
    """`wanted` (ascending) cut into runs that are decoded in one go, each with the key frame to start at."""
    run: list[int] = []
    start = 0
    for number in wanted:
        before = np.searchsorted(keys, number, side="right")
        key = int(keys[before - 1]) if before else 0  # a trimmed file's first key frame may not be shown
        if run and key - run[-1] > READ_ON:
            yield start, run
            run = []
        if not run:
            start = key
        run.append(number)
    if run:
        yield start, run
