"""What the data sets on disk share: frame rates, lengths, classes, what is skipped, and reading."""

from __future__ import annotations

import abc
import dataclasses
import functools
import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from ..errors import DataError
from ..files import expanded
from .base import Skipped, VideoDataset, VideoRecord
from .rates import MOST_FRAMES, count_frames, source_frames
from .resize import resize, sides
from .summary import left_out_lines, skipped_lines
from .video_info import VideoInfo

DECIDES_NOTHING = ("path", "workers", "in_memory", "on_error")
"""Keys of the configuration that do not change what is read."""
OF_TRAINING = {"xflip": False, "sampling": "videos", "labels": False}
"""Keys that change how training draws clips, but not the frames, with their defaults."""


@dataclasses.dataclass(frozen=True)
class Found:
    """A video that has not been looked into yet. `problem`: why it cannot be used, if that is already known."""

    name: str
    label: str | None = None
    problem: str | None = None


class IndexedDataset(VideoDataset):
    """Videos that are found under a path, looked into, and kept if they can be used.

    Raises:
        DataError: the path does not exist; nothing usable is in it; `labels` is set, but there are no classes; any
            video is unusable and `config.on_error` is 'fail'.
    """

    holds: ClassVar[str]
    """What is looked for, for messages: 'video files (mp4, …)'."""
    labelled_by: ClassVar[str]
    """Where classes come from, for messages."""

    class Config(VideoDataset.Config):
        """Data sets on disk. `path` is needed to open one, not to write a recipe."""

        cut: Literal["whole", "clips"] = Field(
            "whole",
            description="clips: every clip_length frames of a video become a video of their own; with stride n, n "
            "interleaved ones (as DIGAN's release does with folders of frames)",
        )

    config: Config

    def __init__(self, config: Config):
        self.config = config
        if not config.path:
            raise DataError(f"data.path: where are the videos? --data PATH, or data.path in the recipe ({self.holds})")
        self.path = expanded(config.path)
        if not self.path.exists():
            raise DataError(f"{config.path}: there is no such file or folder")
        found = self._find()
        if not found:
            left = left_out_lines(self.left_out, self.passed_over)
            raise DataError("\n".join([f"{self.path}: no {self.holds} in it", *left]))
        self.classes = self._classes(found) if config.labels else []
        if config.labels and not self.classes:
            raise DataError(f"{self.path}: no classes found. Looked for {self.labelled_by}")
        self._keep_usable(found)

    @abc.abstractmethod
    def _find(self) -> list[Found]:
        """All videos under `self.path`, in the order of their names; looks at names only."""

    @abc.abstractmethod
    def _look_into(self, names: Sequence[str]) -> dict[str, VideoInfo | str]:
        """What each video holds, or the reason why it cannot be used."""

    @abc.abstractmethod
    def _pictures(self, name: str, info: VideoInfo, frames: Sequence[int]) -> Iterator[tuple[int, np.ndarray]]:
        """Each wanted frame once, as (number, uint8 `[H, W, 3]`). Raises DataError, naming the file."""

    def _where(self, name: str) -> Path:
        """A video's file or folder, for messages."""
        return self.path / name

    def _classes(self, found: Sequence[Found]) -> list[str]:
        return sorted({item.label for item in found if item.label is not None})

    def _keep_usable(self, found: Sequence[Found]) -> None:
        self.records, self.skipped = [], []
        uneven: list[str] = []
        self._infos: list[VideoInfo] = []
        self._pieces: list[slice] = []
        self._lengths: list[int] = []
        infos = self._look_into([item.name for item in found if item.problem is None])
        for item in found:
            info = item.problem or infos[item.name]
            frames = 0 if isinstance(info, str) else count_frames(info, self.config.fps)
            reason = info if isinstance(info, str) else self._unfit(item, info, frames)
            if isinstance(info, VideoInfo) and reason is None:
                label = item.label if self.config.labels else None
                record = VideoRecord(item.name, info.frames, info.fps, info.width, info.height, label, info.codec)
                uneven += [item.name] if self.config.fps is None and info.uneven else []
                for piece in self._cut(frames):
                    self.records.append(record)
                    self._infos.append(info)
                    self._pieces.append(piece)
                    self._lengths.append(len(range(*piece.indices(frames))))
            else:
                self.skipped.append(Skipped(item.name, str(reason)))
        self.uneven = uneven
        if self.skipped and self.config.on_error == "fail":
            raise DataError(f"{self._where(self.skipped[0].name)}: {self.skipped[0].reason}")
        if not self.records:
            reasons = skipped_lines(self.skipped, str(self.path))
            raise DataError("\n".join([f"{self.path}: none of its videos can be used", *reasons]))

    def _unfit(self, item: Found, info: VideoInfo, frames: int) -> str | None:
        """Why a decodable video of `frames` frames (before `stride`) cannot be used under this configuration."""
        stride = self.config.stride
        if frames > MOST_FRAMES:
            return f"{frames} frames at {self.config.fps or info.fps:g} fps, at most {MOST_FRAMES} can be read"
        length = frames // stride if self.config.cut == "clips" else -(-frames // stride)
        if length < self.config.clip_length:
            found = "1 frame" if length == 1 else f"{length} frames"
            fps = (self.config.fps or info.fps) / self.config.stride
            rate = f" at {fps:g} fps" if length != info.frames else ""
            return f"{found}{rate}, the clip needs {self.config.clip_length}"
        if self.config.labels and item.label is None:
            return f"no class: looked for {self.labelled_by}"
        return None

    def _cut(self, frames: int) -> list[slice]:
        """The videos that a file of `frames` frames (before `stride`) holds, as slices of these frames."""
        stride, length = self.config.stride, self.config.clip_length
        if self.config.cut == "whole":
            return [slice(None, None, stride)]
        block = length * stride
        return [
            slice(start + phase, start + block, stride)
            for start in range(0, frames - block + 1, block)
            for phase in range(stride)
        ]

    def _source(self, video: int) -> np.ndarray:
        """Number of the file's frame for each frame at the model's rate, int64 `[length]`."""
        return source_frames(self._infos[video], self.config.fps)[self._pieces[video]]

    def length(self, video: int) -> int:
        return self._lengths[video]

    def read(self, video: int, frames: Sequence[int]) -> np.ndarray:
        wanted = self._source(video)[np.asarray(frames, dtype=np.int64)]
        out = np.empty((len(wanted), *sides(self.config.resolution), 3), np.uint8)
        for number, picture in self._resized(video, wanted):
            out[wanted == number] = picture
        return out

    def each(self, video: int) -> Iterator[tuple[int, np.ndarray]]:
        wanted = self._source(video)  # ascending
        for number, picture in self._resized(video, wanted):
            for index in range(np.searchsorted(wanted, number), np.searchsorted(wanted, number, side="right")):
                yield index, picture

    def _resized(self, video: int, wanted: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
        """Each wanted frame of the file once, with its number, at the model's size."""
        config, size = self.config, sides(self.config.resolution)
        for number, picture in self._pictures(self.records[video].name, self._infos[video], np.unique(wanted).tolist()):
            yield number, resize(picture[None], size, config.resize, config.interpolation)[0]

    @property
    def fps(self) -> float:
        rates = Counter(record.fps for record in self.records)
        usual = min(rates, key=lambda rate: (-rates[rate], rate))
        return (self.config.fps or usual) / self.config.stride

    @functools.cached_property
    def fingerprint(self) -> str:
        return self._digest()

    @functools.cached_property
    def frames_fingerprint(self) -> str:
        own = type(self).fingerprint is IndexedDataset.fingerprint  # else it is a package's own
        return self._digest(**OF_TRAINING) if own else self.fingerprint

    def _digest(self, **changes: Any) -> str:
        config = self.config.model_dump(mode="json", exclude=set(DECIDES_NOTHING)) | changes
        files = {record.name: record for record in self.records}
        # As they were when looked into: a video that has been removed since is still part of what is trained on.
        sizes = {record.name: info.size for record, info in zip(self.records, self._infos, strict=True)}
        described = {
            "config": config,
            "videos": [
                [name, sizes[name], record.frames, record.fps, record.label if config["labels"] else None]
                for name, record in files.items()
            ],
        }
        return hashlib.sha256(json.dumps(described, sort_keys=True).encode()).hexdigest()
