"""What the index stores about a video file: enough to reach any of its frames without another look."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence

import numpy as np

from .picture import MOST_PIXELS

LARGEST = 2**62
"""Times are smaller than this in magnitude, so that the difference of two fits int64."""


@dataclasses.dataclass(frozen=True)
class Ticks:
    """Ascending integers: as `(first, step, count)` where they are evenly spaced, one by one where not."""

    uniform: tuple[int, int, int] | None
    values: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if self.uniform is None:
            ascending = all(a < b for a, b in itertools.pairwise(self.values))
        else:
            ascending = self.uniform[1] > 0 and 0 <= self.uniform[2] < LARGEST and not self.values
        if not ascending or (len(self) and not -LARGEST < self.first <= self.last < LARGEST):
            raise ValueError("times that do not ascend")

    @classmethod
    def of(cls, values: Sequence[int]) -> Ticks:
        first, count = (values[0] if values else 0), len(values)
        step = values[1] - values[0] if count > 1 else 1
        if all(value == first + step * i for i, value in enumerate(values)):
            return cls((first, step, count))
        return cls(None, tuple(values))

    def array(self) -> np.ndarray:
        """int64 `[count]`."""
        if self.uniform is None:
            return np.array(self.values, dtype=np.int64)
        first, step, count = self.uniform
        return first + step * np.arange(count, dtype=np.int64)

    @property
    def first(self) -> int:
        """There must be one."""
        return self.values[0] if self.uniform is None else self.uniform[0]

    @property
    def last(self) -> int:
        """There must be one."""
        if self.uniform is None:
            return self.values[-1]
        first, step, count = self.uniform
        return first + step * (count - 1)

    def __len__(self) -> int:
        return len(self.values) if self.uniform is None else self.uniform[2]


@dataclasses.dataclass(frozen=True)
class VideoInfo:
    """One decodable video file.

    Args:
        width, height: in pixels, as displayed: after the rotation that the file asks for, with square pixels.
        fps: its own frame rate; the mean one where it varies.
        ticks: time of each frame in display order, in units of `time_base` seconds (a fraction).
        keys: numbers of the frames from which decoding can start.
        seekable: whether decoded frames carry the times of `ticks`. Where they do not (containers without
            presentation times), frames are found by counting from the first.
        size: of the file or files, in bytes; None: not known.
        codec: libav's name of it; empty where pictures carry a checksum of their own.

    Raises:
        ValueError: no video can have these values.
    """

    width: int
    height: int
    fps: float
    ticks: Ticks
    keys: Ticks
    time_base: tuple[int, int]
    seekable: bool = True
    size: int | None = None
    codec: str = ""

    def __post_init__(self) -> None:
        if not 0 < self.width * self.height <= MOST_PIXELS or self.width < 0:
            raise ValueError(f"{self.width}×{self.height} pixels: more than {MOST_PIXELS // 10**6} million, or none")
        if not (1e-9 <= self.fps <= 1e9 and all(0 < part < 2**31 for part in self.time_base)):
            raise ValueError(f"{self.fps:g} frames a second")
        if self.size is not None and self.frames > self.size:
            raise ValueError(f"{self.frames} frames in {self.size} bytes")
        if len(self.keys) and not 0 <= self.keys.first <= self.keys.last < self.frames:
            raise ValueError("key frames that it does not have")

    @property
    def frames(self) -> int:
        return len(self.ticks)

    @property
    def duration(self) -> float:
        """Seconds from the beginning of its first frame to the end of its last."""
        if not self.seekable:
            return self.frames / self.fps
        return (self.ticks.last - self.ticks.first) * (self.time_base[0] / self.time_base[1]) + 1 / self.fps

    @property
    def uneven(self) -> bool:
        """Whether its frame rate varies: at least one frame in twenty lasts longer or shorter than most, by more than a
        quarter, more than a tick and more than 2 ms. Fewer are dropped frames; less is the rounding of times."""
        if not self.seekable or self.ticks.uniform is not None or self.frames < 3:
            return False
        steps = np.diff(self.times())
        tick = self.time_base[0] / self.time_base[1]
        off = np.abs(steps - np.median(steps)) > max(np.median(steps) / 4, 0.002, 1.01 * tick)
        return bool(off.mean() >= 0.05)

    @classmethod
    def of_pictures(
        cls, count: int, width: int, height: int, fps: float, size: int | None = None, codec: str = ""
    ) -> VideoInfo:
        """A video stored as `count` pictures, each of which can be read by itself."""
        numbers = Ticks((0, 1, count))
        return cls(width, height, fps, numbers, numbers, (1, 1), seekable=False, size=size, codec=codec)

    def times(self) -> np.ndarray:
        """Time of each frame in seconds from the first one, float64 `[frames]`."""
        if not self.seekable:
            return np.arange(self.frames) / self.fps
        ticks = self.ticks.array()
        return (ticks - ticks[0]) * (self.time_base[0] / self.time_base[1])
