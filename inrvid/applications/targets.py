"""Given frames: a photograph, a video file, or a folder of frames, at a model's size and in its time."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from ..data.base import VideoDataset
from ..data.damage import UnreadableError
from ..data.finding import PICTURES, VIDEOS
from ..data.open import detect, open_dataset
from ..data.picture import MOST_BYTES, pixels
from ..data.resize import RULES, resize
from ..errors import DataError, InrvidError
from ..files import expanded, read_bytes

MOST_FRAMES = 10_000
"""Frames that are read at a time, at most."""

_RANGE = re.compile(r"\s*(\d{1,9})\s*-\s*(\d{1,9})\s*")
_NUMBER = re.compile(r"\s*-?\d{1,9}(\.\d{1,9})?\s*")


class Target(Protocol):
    """Frames that can be read by number."""

    length: int
    rate: float | None
    """Frames a second; None for a photograph, which has no time."""

    def read(self, numbers: Sequence[int]) -> np.ndarray:
        """uint8 `[n, side, side, 3]` of some of the frames 0 … length − 1."""


class Photograph:
    """A picture as a video of one frame. Raises DataError."""

    length = 1
    rate: float | None = None

    def __init__(self, path: Path, side: int, rule: str):
        try:
            picture = pixels(read_bytes(path, MOST_BYTES))
        except UnreadableError as error:
            raise DataError(f"{path}: {error}") from None
        self.frame = resize(picture[None], (side, side), rule)

    def read(self, numbers: Sequence[int]) -> np.ndarray:
        return self.frame[list(numbers)]


class Video:
    """A video of a data set."""

    def __init__(self, dataset: VideoDataset, number: int = 0):
        self.dataset, self.number = dataset, number
        self.length = dataset.length(number)
        self.rate: float | None = dataset.rate(number)

    def read(self, numbers: Sequence[int]) -> np.ndarray:
        return self.dataset.read(self.number, numbers)


def open_target(path: str | Path, side: int, *, rule: str = "center_crop") -> Target:
    """A photograph (a picture file), else the one video that is at `path`: a file, or a folder with frames in it.

    Args:
        side: of the frames that are read, pixels.
        rule: for other aspect ratios: `center_crop`, or `squash`.

    Raises:
        InrvidError: no such rule.
        DataError: nothing there that can be read, or several videos.
    """
    path = expanded(path)
    if rule not in RULES:
        raise InrvidError(f"resize {rule[:40]}: expected {' or '.join(RULES)}")
    if path.is_file() and path.suffix.lower() in PICTURES:
        return Photograph(path, side, rule)
    settings = {"path": str(path), "resolution": side, "clip_length": 1, "resize": rule, "in_memory": False}
    dataset = open_dataset({"type": detect(path), **settings})
    if len(dataset) != 1:
        names = ", ".join(record.name for record in dataset.records[:3])
        raise DataError(f"{path}: holds {len(dataset)} videos ({names}, …): give the path of one")
    return Video(dataset)


def read_frames(target: Target, numbers: Sequence[int], what: str) -> np.ndarray:
    """Frames of a target; `what` the numbers are of, for messages. Raises InrvidError: it has no such frames."""
    if not numbers:
        raise InrvidError(f"{what}: no frames")
    if missing := [number for number in numbers if not 0 <= number < target.length]:
        raise InrvidError(f"{what}: there is no frame {missing[0]}: there are 0 … {target.length - 1}")
    if len(numbers) > MOST_FRAMES:
        raise InrvidError(f"{what}: {len(numbers)} frames, {MOST_FRAMES} are read at most")
    return target.read(numbers)


def check_apart(target: str | Path, written: Iterable[Path]) -> None:
    """Raises InrvidError if a file to be written is there already, as the target or one of its frames."""
    target = expanded(target)
    for path in (path for path in map(expanded, written) if path.is_file()):
        inside = path.suffix.lower() in (*PICTURES, *VIDEOS) and path.parent.resolve().is_relative_to(target.resolve())
        if inside or (target.exists() and path.samefile(target)):
            raise InrvidError(f"{path}: would be written over, and belongs to {target}: choose another -o")


def times_of(target: Target, numbers: Sequence[int], fps: float) -> Tensor:
    """Times `[n]` of frames, in frames at the model's rate of `fps`; of a photograph, 0."""
    step = 0.0 if target.rate is None else fps / target.rate
    return torch.tensor(numbers, dtype=torch.float64) * step


def check_levels(frames: np.ndarray, axes: str) -> None:
    """Raises InrvidError: not uint8 of these axes, such as "T, H, W, 3"."""
    wanted, shape, dtype = axes.count(",") + 1, tuple(getattr(frames, "shape", ())), getattr(frames, "dtype", None)
    if not isinstance(frames, np.ndarray) or dtype != np.uint8 or len(shape) != wanted or shape[-1] != 3:
        found = f"{type(frames).__name__} {dtype} {list(shape)}"
        raise InrvidError(
            f"frames: expected an array uint8 [{axes}], got {found}   (video_io.to_uint8 makes them of a model's)"
        )


def as_model(frames: np.ndarray) -> Tensor:
    """uint8 `[..., H, W, 3]` → `[..., 3, H, W]` in [−1, 1]; `video_io.to_uint8` takes it back."""
    return torch.from_numpy(frames).movedim(-1, -3).float() / 127.5 - 1


def parse_numbers(text: str, option: str) -> list[float]:
    """'6-8,12' as [6, 7, 8, 12]: numbers, and ranges of whole ones, both ends included. Raises InrvidError."""
    found: list[float] = []
    for part in text.split(","):
        match = _RANGE.fullmatch(part)
        if match and int(match[2]) < int(match[1]):
            raise InrvidError(f"{option}: {part} goes backwards: {match[2]}-{match[1]}")
        if match and int(match[2]) - int(match[1]) < MOST_FRAMES:
            found += range(int(match[1]), int(match[2]) + 1)
        elif _NUMBER.fullmatch(part):
            found.append(float(part))
        else:
            raise InrvidError(f"{option} {text[:40]}: expected numbers and ranges, such as 6-8,12")
    return found


def parse_whole(text: str, option: str, what: str = "frames") -> list[int]:
    """Like `parse_numbers`, for whole numbers, in the order given, since each may have a time. Raises InrvidError."""
    found = parse_numbers(text, option)
    if any(number != int(number) for number in found):
        raise InrvidError(f"{option} {text[:40]}: {what} have whole numbers")
    return [int(number) for number in found]
