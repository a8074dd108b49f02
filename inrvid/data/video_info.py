"""What the index stores of a video file: enough to go to any of its frames without another look."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np


@dataclasses.dataclass(frozen=True)
class Ticks:
    """Ascending integers: as `(first, step, count)` where they are evenly spaced, one by one where not."""

    uniform: tuple[int, int, int] | None
    values: tuple[int, ...] = ()

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

    def __len__(self) -> int:
        return len(self.values) if self.uniform is None else self.uniform[2]


@dataclasses.dataclass(frozen=True)
class VideoInfo:
    """One decodable video file.

    Args:
        width, height: as displayed: after the rotation that the file asks for. Pixels.
        fps: its own frame rate; the mean one where it varies.
        ticks: time of each frame in display order, in units of `time_base` seconds (a fraction).
        keys: numbers of the frames from which decoding can start.
        seekable: whether decoded frames carry the times of `ticks`. Where they do not (containers without
            presentation times), frames are found by counting from the first.
    """

    width: int
    height: int
    fps: float
    ticks: Ticks
    keys: Ticks
    time_base: tuple[int, int]
    seekable: bool = True

    @property
    def frames(self) -> int:
        return len(self.ticks)

    @classmethod
    def of_pictures(cls, count: int, width: int, height: int, fps: float) -> VideoInfo:
        """A video that is stored as so many pictures, each of which can be read by itself."""
        numbers = Ticks((0, 1, count))
        return cls(width, height, fps, numbers, numbers, (1, 1), seekable=False)

    def times(self) -> np.ndarray:
        """Time of each frame in seconds from the first one, float64 `[frames]`."""
        if not self.seekable:
            return np.arange(self.frames) / self.fps
        ticks = self.ticks.array()
        return (ticks - ticks[0]) * (self.time_base[0] / self.time_base[1])

    def to_json(self) -> dict[str, Any]:
        data = dataclasses.asdict(self)
        return {**data, "ticks": _plain(self.ticks), "keys": _plain(self.keys)}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> VideoInfo:
        """Raises KeyError, TypeError or ValueError if `data` is not what `to_json` wrote."""
        return cls(
            **{
                **data,
                "ticks": _ticks(data["ticks"]),
                "keys": _ticks(data["keys"]),
                "time_base": (int(data["time_base"][0]), int(data["time_base"][1])),
            }
        )


def _plain(ticks: Ticks) -> list[int] | dict[str, list[int]]:
    return list(ticks.values) if ticks.uniform is None else {"uniform": list(ticks.uniform)}


def _ticks(data: Any) -> Ticks:
    if isinstance(data, dict):
        first, step, count = (int(value) for value in data["uniform"])
        return Ticks((first, step, count))
    return Ticks(None, tuple(int(value) for value in data))
