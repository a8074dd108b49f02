"""Find out what a video file holds, and check that it can be decoded to its end."""

from __future__ import annotations

import dataclasses
import itertools
from fractions import Fraction
from pathlib import Path
from typing import Any

from .. import files
from .damage import UnreadableError, decoding
from .decode import ToRgb, decoded, demuxed, opened
from .gif import check_whole_gif
from .video_info import Ticks, VideoInfo

RATE_TOLERANCE = 0.005
"""How well times in whole milliseconds (webm, mkv) measure a rate; within this, the container's own is exact."""

MISSING_SECONDS = 0.5
"""A video stream that ends this long before its stated end is truncated; less is rounding."""


@dataclasses.dataclass
class _Packets:
    """What demuxing alone tells about a file. Times are in units of `base` seconds."""

    container: str
    codec: str
    stated: int
    stated_end: float | None
    rate: Fraction | None
    base: Fraction
    times: list[int | None] = dataclasses.field(default_factory=list)
    keys: list[int] = dataclasses.field(default_factory=list)
    count: int = 0
    corrupt: bool = False
    reorders: bool = False
    end: float = 0.0

    def add(self, packet: Any) -> None:
        self.count += 1
        self.corrupt |= packet.is_corrupt
        self.end = max(self.end, float(_end(packet) * self.base))
        if not packet.is_discard:
            self.times.append(packet.pts)
            if packet.is_keyframe and packet.pts is not None:
                self.keys.append(packet.pts)


@dataclasses.dataclass
class _Decoded:
    times: list[int | None]
    keys: list[int]
    size: tuple[int, int] | None


def probe(path: Path) -> VideoInfo:
    """What the index stores about a video file. Demux all of it, and decode from the last key frame on
    (all of it, where that does not confirm what the packets say).

    Raises:
        UnreadableError: with the reason alone: no video in it, not decodable, truncated.
    """
    with decoding():
        size = files.checked(path).st_size
    if size == 0:
        raise UnreadableError("empty file")
    packets = _demux(path)
    _check_whole(path, packets)
    frames = _from_tail(path, packets) or _decode(path)
    if frames.size is None:
        raise UnreadableError("no frame in it can be decoded")
    try:
        return _info(packets, frames, size)
    except ValueError as error:  # times, rates or sizes that no video can have
        raise UnreadableError(f"broken: {error}") from error


def _demux(path: Path) -> _Packets:
    with opened(path) as (container, stream):
        packets = _Packets(
            container=container.format.name,
            codec=stream.codec_context.codec.canonical_name,
            stated=_stated(container, stream),
            stated_end=_seconds(stream.metadata.get("DURATION", "")),
            rate=stream.average_rate or stream.guessed_rate,
            base=stream.time_base,
        )
        for packet in demuxed(container, stream):
            if packet.size:
                packets.add(packet)
        packets.keys.sort()
        packets.reorders = bool(getattr(stream.codec_context, "has_b_frames", False))
        return packets


def _from_tail(path: Path, packets: _Packets) -> _Decoded | None:
    """The frames as the packets announce them, if decoding the last GOP confirms them; else None.

    It does not where packets and frames differ: hidden frames, one packet per field, or no presentation times
    (avi stores none: if the decoder reorders frames, libav's guess of their times is in decoding order).
    """
    times = sorted(time for time in packets.times if time is not None)
    if len(set(times)) < len(packets.times) or not packets.keys or (packets.reorders and times == packets.times):
        return None
    last_key = packets.keys[-1]
    tail = _decode(path, start=last_key)
    from_key = [time for time in tail.times if time is None or time >= last_key]  # before it: an open GOP's
    if from_key != [time for time in times if time >= last_key]:
        return None
    return _Decoded(list(times), packets.keys, tail.size)


def _decode(path: Path, start: int | None = None) -> _Decoded:
    """Decodes from `start` (default: the beginning) to the end."""
    times: list[int | None] = []
    keys: list[int] = []
    size = None
    with opened(path) as (container, stream):
        rgb = ToRgb(stream)
        if start is not None:
            with decoding("broken: "):
                container.seek(start, stream=stream)
        for frame in decoded(container, stream):
            if size is None:
                rgb(frame)  # not every pixel format can be brought to RGB
                size = rgb.size(frame)
            times.append(frame.pts)
            if frame.key_frame and frame.pts is not None:
                keys.append(frame.pts)
    return _Decoded(times, keys, size)


def _info(packets: _Packets, frames: _Decoded, size: int) -> VideoInfo:
    assert frames.size is not None
    times = [time for time in frames.times if time is not None]
    ordered = all(a < b for a, b in itertools.pairwise(times))
    seekable = ordered and len(times) == len(frames.times) and bool(frames.keys)
    if not seekable:
        times = list(range(len(frames.times)))
    number = {time: index for index, time in enumerate(times)}
    keys = [number[key] for key in frames.keys if key in number] if seekable else [0]
    rate = _rate(times, packets) if seekable else float(packets.rate or 25)
    height, width = frames.size
    base = (packets.base.numerator, packets.base.denominator)
    return VideoInfo(width, height, rate, Ticks.of(times), Ticks.of(keys), base, seekable, size, packets.codec)


def _rate(times: list[int], packets: _Packets) -> float:
    """Frames a second: measured, unless the container's own rate says the same more exactly."""
    stated = float(packets.rate or 25)
    if len(times) < 2:
        return stated
    measured = (len(times) - 1) / ((times[-1] - times[0]) * float(packets.base))
    return stated if abs(measured / stated - 1) < RATE_TOLERANCE else measured


def _check_whole(path: Path, packets: _Packets) -> None:
    if packets.container == "gif":
        check_whole_gif(path)
    if packets.count < packets.stated:
        raise UnreadableError(f"truncated: {packets.count} of {packets.stated} frames are in the file")
    if packets.corrupt:
        raise UnreadableError("truncated or broken")
    if packets.stated_end is not None and packets.end + MISSING_SECONDS < packets.stated_end:
        raise UnreadableError(f"truncated: ends at {packets.end:.1f} s of {packets.stated_end:.1f} s")


def _stated(container: Any, stream: Any) -> int:
    """How many packets mp4's index announces, after its edit list; 0 where there is no such promise.

    Frame counts in headers (`stream.frames`) are no promise: avi's are often off, mp4's ignore the edits.
    """
    return len(getattr(stream, "index_entries", ())) if "mp4" in container.format.name else 0


def _end(packet: Any) -> int:
    return (packet.pts or 0) + (packet.duration or 0)


def _seconds(text: Any) -> float | None:
    """Matroska's stream duration, '00:00:01.600000000'."""
    try:
        hours, minutes, seconds = str(text).split(":")
        return int(hours) * 3600 + int(minutes) * 60 + float(seconds)
    except ValueError:
        return None
