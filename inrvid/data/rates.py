"""Which frames of a file make up its video at the model's rate."""

from __future__ import annotations

import numpy as np

from .video_info import VideoInfo

TIE = 1e-6
"""Seconds (in `count_frames`: frames). Halfway between two frames the earlier one is taken, whatever the rounding of
the times."""


MOST_FRAMES = 10_000_000
"""A file's times can claim anything; a video with more frames than this cannot be used."""


def count_frames(info: VideoInfo, fps: float | None) -> int:
    """How many frames `source_frames` gives."""
    return info.frames if fps is None else max(1, int(info.duration * fps + TIE))


def source_frames(info: VideoInfo, fps: float | None) -> np.ndarray:
    """Numbers of the file's frames, int64 `[length]`, ascending; some repeated where `fps` is above its own.

    `fps`: frame k is the frame nearest to k/fps, as long as k/fps is within the video; None: all frames.
    """
    if fps is None:
        return np.arange(info.frames)
    times = info.times()
    wanted = np.arange(count_frames(info, fps)) / fps
    return np.searchsorted((times[1:] + times[:-1]) / 2, wanted - TIE)
