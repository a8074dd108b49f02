"""Exact random access to the frames of a video file, through PyAV.

A frame is identified by its presentation time, which the index holds for every frame. To reach one, decoding
starts at the key frame at or before it and continues until a frame with exactly that time comes out. Times not
found this way (the container seeks too far, or the frames open a GOP) are searched for from the start of the file.

Damage spreads, as frames are predicted from others. After one that libav calls corrupt, or cannot decode, none is
trusted until the next intact key frame (`Damage`).
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.video.frame import PictureType
from av.video.reformatter import VideoReformatter

from .. import files
from ..errors import DataError
from .damage import UnreadableError, decoding
from .orientation import Orientation, of_angle, of_display_matrix
from .picture import MOST_PIXELS
from .video_info import VideoInfo

# Broken files are reported by exceptions that name them; libav's own lines on stderr would say it twice.
av.logging.set_libav_level(av.logging.PANIC)

CONTAINERS = "mov,mp4,m4a,3gp,3g2,mj2,avi,matroska,webm,gif,mpeg,mpegvideo,mpegts,asf,flv,ogg,h264,hevc,m4v,wtv,dv"
"""libav's names of the formats that are read. Others list further files, pipes or addresses, which it would open."""

OPEN: dict[str, Any] = {
    "container_options": {"format_whitelist": CONTAINERS},
    # A title that is not UTF-8 is no reason to refuse a video; from version 19 on, PyAV needs no such option.
    **({"metadata_errors": "ignore"} if int(av.__version__.split(".")[0]) < 19 else {}),
}

STRICT = {"err_detect": "crccheck+bitstream+buffer+explode"}
"""libav options that make it report all the damage that it can see, and stop decoding at any."""

FALSE_ALARMS = frozenset({"tiff"})
"""Codecs whose decoders, when strict, refuse what libav's own encoders write."""

READ_ON = 8
"""With at most this many frames left before the next key frame, decoding on is cheaper than seeking to it."""

MOST_REORDERED = 16
"""No codec shows a frame more than this many frames after one that is predicted from it."""

WIDEST_PIXEL = 8
"""Largest pixel aspect ratio, wide or high, that a file is believed to have."""


def read_frames(path: Path, info: VideoInfo, frames: Sequence[int]) -> np.ndarray:
    """Frames of a file as uint8 RGB `[len(frames), H, W, 3]`, at the file's size.

    `frames` are numbers in display order, 0 … info.frames − 1, given in any order; repeats are allowed.
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


def check_file(path: Path, info: VideoInfo) -> None:
    """Decode all of a file, with all the checks that libav has (except for the codecs in `FALSE_ALARMS`).

    Raises DataError, naming the file, if it is not intact, or no longer what `info` says.
    """
    try:
        count = 0
        with opened(path, None if info.codec in FALSE_ALARMS else STRICT) as (container, stream):
            damage = Damage()
            for frame in decoded(container, stream):
                if damage.spoils(frame):
                    raise UnreadableError(f"broken: frame {count} is damaged")
                count += 1
        if count < info.frames:
            raise UnreadableError(f"broken: {count} of {info.frames} frames can be decoded")
    except UnreadableError as error:
        raise DataError(f"{path}: {error}") from error


@contextlib.contextmanager
def opened(path: Path, options: dict[str, str] | None = None) -> Iterator[tuple[Any, Any]]:
    """Open a file as (container, its first video stream). `options`: libav's, for the demuxer and the decoder.

    Raises UnreadableError if it is not a file, or holds nothing that can be decoded.
    """
    with decoding():
        files.checked(path)  # opening a pipe would block
    with decoding("not a video, or cut short: "):
        # Without 'file:', the part of a name before a colon would be taken for a protocol.
        container = av.open(f"file:{path}", options=options, **OPEN)
    with container:
        with decoding():
            stream = _video_stream(container)
            stream.codec_context.options = {"max_pixels": str(MOST_PIXELS), **(options or {})}
        yield container, stream


def _video_stream(container: Any) -> Any:
    if not container.streams.video:
        raise UnreadableError("no video stream (audio only)" if container.streams.audio else "no video stream")
    stream = container.streams.video[0]
    if stream.codec_context is None:
        raise UnreadableError("its codec is not supported by this build of PyAV")
    # Parallelism is over files and loader workers; threads inside a decoder only cost their start.
    stream.codec_context.thread_count = 1
    stream.codec_context.thread_type = "NONE"
    return stream


def demuxed(container: Any, stream: Any) -> Iterator[Any]:
    """The packets of a stream. Raises UnreadableError where the container is broken."""
    with decoding("broken: "):  # what the consumer raises does not pass through here
        yield from container.demux(stream)


def decoded(container: Any, stream: Any) -> Iterator[Any]:
    """All frames, in display order. Raises UnreadableError at the first packet that cannot be decoded."""
    for packet in demuxed(container, stream):
        with decoding("broken: "):
            frames = packet.decode()
        yield from frames


def is_key(frame: Any) -> bool:
    """Whether no frame shown from here on is predicted from one shown before.

    In streams that are refreshed gradually, libav also flags predicted frames as key frames: these do not count.
    """
    return bool(frame.key_frame) and frame.pict_type in (PictureType.I, PictureType.NONE)


class Damage:
    """Keeps track of which frames, as they come out in display order, can be trusted."""

    def __init__(self) -> None:
        self._spreads = False
        self._since: int | None = None

    def strike(self, latest: int | None) -> None:
        """Record that a packet could not be decoded; `latest`: the latest display time among those fed in so far."""
        self._spreads, self._since = True, latest

    def spoils(self, frame: Any) -> bool:
        """Whether `frame`, the next to come out, is damaged or may be predicted from one that is."""
        # A key frame that went in before the undecodable packet, but comes out after it, mends nothing.
        late = self._since is None or frame.pts is None or frame.pts > self._since
        if frame.is_corrupt:
            self._spreads = True
        elif is_key(frame) and late:
            self._spreads, self._since = False, None
        return self._spreads


class ToRgb:
    """Converts decoded frames of a stream to uint8 RGB `[H, W, 3]`, as players show them: rotated and mirrored as the
    file asks, with square pixels."""

    def __init__(self, stream: Any) -> None:
        self._reformatter = VideoReformatter()  # one for many frames: setting it up costs more than its work
        self._pixel = _pixel_shape(stream)
        # Keyed by PyAV's rotation angle. A frame that is asked for its side data outlives its use, in a reference
        # cycle: asking every frame would cost a third of the speed.
        self._orientations: dict[float, Orientation] = {}

    def __call__(self, frame: Any) -> np.ndarray:
        """Raises UnreadableError."""
        with decoding("broken: "):
            height, width = self._stored_size(frame)
            # One thread: by default it starts as many as there are cores, anew for each clip.
            how = None if self._pixel == 1 else "BICUBIC"
            rgb = self._reformatter.reformat(frame, width, height, format="rgb24", interpolation=how, threads=1)
            return self._orientation(frame).apply(rgb.to_ndarray())

    def size(self, frame: Any) -> tuple[int, int]:
        """(height, width) of a frame as it is shown."""
        with decoding("broken: "):
            return self._orientation(frame).size(*self._stored_size(frame))

    def _orientation(self, frame: Any) -> Orientation:
        angle = frame.rotation
        if angle not in self._orientations:
            self._orientations[angle] = _orientation(frame)
        return self._orientations[angle]

    def _stored_size(self, frame: Any) -> tuple[int, int]:
        """(height, width) of a frame with square pixels: the axis that has too few of them is stretched."""
        height, width = frame.height, frame.width
        if self._pixel > 1:
            width = round(width * self._pixel)
        elif self._pixel < 1:
            height = round(height / self._pixel)
        if width * height > MOST_PIXELS:
            raise UnreadableError(f"{width}×{height} pixels: more than {MOST_PIXELS // 10**6} million")
        return height, width


def _pixel_shape(stream: Any) -> Fraction:
    """Width of a pixel over its height; 1 if the file does not say, or says something impossible."""
    shape = stream.sample_aspect_ratio or Fraction(1)
    return Fraction(shape) if 1 / Fraction(WIDEST_PIXEL) <= shape <= WIDEST_PIXEL else Fraction(1)


def _orientation(frame: Any) -> Orientation:
    try:
        matrix = frame.side_data.get("DISPLAYMATRIX")
    except ValueError:  # the side data also hold something that PyAV has no name for
        return of_angle(frame.rotation)
    return Orientation() if matrix is None else of_display_matrix(np.frombuffer(matrix, np.int32).tolist())


def _seek_and_read(path: Path, info: VideoInfo, wanted: list[int]) -> Iterator[tuple[int, np.ndarray]]:
    ticks, keys = info.ticks.array(), info.keys.array()
    missed: list[int] = []
    with opened(path) as (container, stream):
        rgb = ToRgb(stream)
        for start, run in _runs(keys, wanted):
            pending = {int(ticks[number]): number for number in run}
            with contextlib.suppress(av.FFmpegError, UnreadableError):  # cannot seek, or breaks off: missed
                container.seek(int(ticks[start]), stream=stream)
                yield from _read_on(container, stream, pending, rgb, skip=True)
            missed += pending.values()
    if missed:
        pending = {int(ticks[number]): number for number in missed}
        with opened(path) as (container, stream):
            yield from _read_on(container, stream, pending, ToRgb(stream), skip=False)
        if pending:
            raise UnreadableError(f"frame {min(pending.values())} cannot be decoded")


def _read_on(
    container: Any, stream: Any, pending: dict[int, int], rgb: ToRgb, skip: bool
) -> Iterator[tuple[int, np.ndarray]]:
    """Decode until all of `pending` (time → number) has come out or been passed, removing what came out.

    `skip`: leave out frames that are neither wanted nor needed to decode others.

    A frame may have been predicted from one that is decoded before it but shown after it. So it is held back until
    all that was decoded before it has come out intact: until its time in `horizons`.
    """
    last, context = max(pending), stream.codec_context
    damage = Damage()
    horizons: dict[int, int] = {}
    held: dict[int, Any] = {}
    latest: int | None = None
    for packet in demuxed(container, stream):
        wanted = packet.pts is None or packet.pts in pending
        context.skip_frame = "NONREF" if skip and not wanted else "DEFAULT"
        if packet.pts is not None:
            latest = packet.pts if latest is None else max(latest, packet.pts)
            if wanted:
                horizons[packet.pts] = latest
        for frame in _frames(packet, damage, latest):
            if damage.spoils(frame):
                held.clear()
            elif frame.pts in pending:
                held.setdefault(frame.pts, frame)
            ready = (
                [time for time in held if frame.pts is None or horizons.get(time, time) <= frame.pts] if held else ()
            )
            for time in ready:
                yield _taken(pending, time, rgb(held.pop(time)))
            if not pending or (not held and frame.pts is not None and frame.pts > last):
                return
    for time, frame in held.items():
        yield _taken(pending, time, rgb(frame))


def _taken(pending: dict[int, int], time: int, picture: np.ndarray) -> tuple[int, np.ndarray]:
    return pending.pop(time), picture


def _frames(packet: Any, damage: Damage, latest: int | None) -> list[Any]:
    """What comes out of the decoder when a packet goes in; nothing if it cannot be decoded."""
    try:
        with decoding():
            return packet.decode()
    except UnreadableError:
        damage.strike(latest)
        return []


def _count_and_read(path: Path, wanted: list[int]) -> Iterator[tuple[int, np.ndarray]]:
    pending, damage = set(wanted), Damage()
    held: dict[int, Any] = {}  # as in `_read_on`, but without known times
    with opened(path) as (container, stream):
        rgb = ToRgb(stream)
        for number, frame in enumerate(decoded(container, stream)):
            if damage.spoils(frame):
                held.clear()
            elif number in pending:
                held[number] = frame
            for ready in [ready for ready in held if is_key(frame) or ready + MOST_REORDERED <= number]:
                yield ready, rgb(held.pop(ready))
                pending.remove(ready)
            if not pending or (not held and number > wanted[-1]):
                break
        for ready, frame in held.items():
            yield ready, rgb(frame)
            pending.remove(ready)
    if pending:
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
