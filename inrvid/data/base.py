"""The interface of a data set of videos, however its videos are stored.

A data set is an index (`records`, `skipped`, `classes`) plus `read`, which decodes any frames of any video.
Frame numbers are at the model's rate: after `fps` and `stride`.
"""

from __future__ import annotations

import abc
import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from ..config import MOST, Count, Fps, PartConfig, PathText, Side, Sides

PIECE = 32
"""Frames read at a time when all of a video is wanted."""


@dataclasses.dataclass(frozen=True)
class VideoRecord:
    """One usable video, as the index knows it. Width, height, `frames` and `fps` are the file's."""

    name: str
    frames: int
    fps: float
    width: int
    height: int
    label: str | None = None
    codec: str = ""
    """libav's name for its codec; empty where that does not matter."""


@dataclasses.dataclass(frozen=True)
class Skipped:
    """A file that is left out, and why."""

    name: str
    reason: str

    @classmethod
    def because(cls, name: str, error: Exception) -> Skipped:
        """From a DataError: its message without the path up to and including `name`; a frame's own name stays."""
        text = str(error)
        for end in (f"{name}: ", f"/{name}/"):
            if end in text:
                return cls(name, text.rsplit(end, 1)[-1])
        return cls(name, text)


class VideoDataset(abc.ABC):
    """Videos by number, in the order of their names."""

    terms: ClassVar[str] = ""
    """Who owns the videos, and what may be done with them, for model cards; empty if not known."""

    class Config(PartConfig):
        """Keys of every data set. "The model's rate" is the videos' own rate after `fps` and `stride`."""

        path: PathText | None = Field(None, description="where the videos are; --data sets it")
        resolution: Side | Sides = Field(
            128, description="side, or [height, width], pixels; in a recipe: the generator's"
        )
        clip_length: Annotated[int, Field(ge=1, le=MOST)] = Field(
            16, description="frames of a clip; in a recipe: the generator's"
        )
        fps: Fps | None = Field(None, description="resample all videos to this rate; default: each one's own")
        stride: Count = Field(1, description="keep every n-th frame")
        sampling: Literal["videos", "clips"] = Field(
            "videos",
            description="videos: draw a video uniformly, then a clip in it; clips: draw from all clips uniformly (long "
            "videos weigh more)",
        )
        xflip: bool = Field(False, description="mirror whole clips with probability ½")
        resize: Literal["center_crop", "squash"] = Field(
            "center_crop", description="center_crop keeps the aspect ratio, squash the whole picture"
        )
        interpolation: Literal["bicubic", "bilinear"] = Field(
            "bicubic", description="for resizing: bicubic with antialiasing; bilinear without (as DIGAN's release)"
        )
        labels: bool = Field(False, description="use the videos' classes")
        on_error: Literal["skip", "fail"] = Field("skip", description="what to do with a video that cannot be used")
        workers: Annotated[int, Field(ge=0, le=256)] | Literal["auto"] = Field("auto", description="loader processes")
        in_memory: bool | Literal["auto"] = Field(
            "auto", description="keep all decoded frames in memory; auto: if small"
        )

    specificity: ClassVar[int] = 0
    """If several data sets match a path, `--data PATH` means the one with the highest."""

    drawn: ClassVar[bool] = False
    """Whether frames are generated in Python as they are read: threads generating them ahead would block each other."""

    config: Config
    records: list[VideoRecord]
    """The usable videos: decodable, and at least `clip_length` frames long at the model's rate."""
    skipped: list[Skipped]
    left_out: Mapping[str, int] = MappingProxyType({})
    """Number of files of kinds that are not read, by suffix."""
    passed_over: Sequence[str] = ()
    """Folders of runs and models, relative to the path, whose samples are not read as videos."""
    uneven: Sequence[str] = ()
    """Names of the usable videos whose frame rate varies, unless all are resampled."""
    classes: list[str]
    """Names of the classes, sorted; empty unless `config.labels`."""

    @classmethod
    @abc.abstractmethod
    def matches(cls, path: Path) -> bool:
        """Whether `path` is laid out like this data set; decodes nothing."""

    @abc.abstractmethod
    def length(self, video: int) -> int:
        """Number of frames of a video, at the model's rate."""

    @abc.abstractmethod
    def read(self, video: int, frames: Sequence[int]) -> np.ndarray:
        """Frames of a video as uint8 `[len(frames), H, W, 3]`, resized to `config.resolution`.

        `frames` are numbers in 0 … length − 1, in any order; repeats are allowed.
        Raises DataError if they cannot be decoded.
        """

    def each(self, video: int) -> Iterator[tuple[int, np.ndarray]]:
        """All frames of a video as (number, uint8 `[H, W, 3]`), each once, in any order; none of them is kept.

        Raises DataError if one cannot be decoded, possibly after others were yielded.
        """
        for start in range(0, self.length(video), PIECE):
            frames = range(start, min(start + PIECE, self.length(video)))
            yield from zip(frames, self.read(video, frames), strict=True)

    def check(self, video: int) -> None:
        """Decode all of a video, more strictly than `read` where possible. Raises DataError if it is broken."""
        for _ in self.each(video):
            pass

    @property
    @abc.abstractmethod
    def fps(self) -> float:
        """The model's frame rate: the (most frequent) rate of the videos, after `fps` and `stride`."""

    @property
    @abc.abstractmethod
    def fingerprint(self) -> str:
        """A hex digest of what the data set contains: files, their sizes, and how they are read."""

    @property
    def frames_fingerprint(self) -> str:
        """A hex digest of its videos' frames alone: as `fingerprint`, but independent of the classes and of how
        training draws and mirrors clips."""
        return self.fingerprint

    def rate(self, video: int) -> float:
        """Frame rate of one video, after `fps` and `stride`."""
        return (self.config.fps or self.records[video].fps) / self.config.stride

    def summary(self) -> list[str]:
        """What the data set holds and what is left out, in a few lines."""
        from .summary import summary_lines

        return summary_lines(self)

    def label(self, video: int) -> int:
        """Number of a video's class; only valid if `classes` is not empty."""
        name = self.records[video].label
        assert name is not None
        return self.classes.index(name)

    def __len__(self) -> int:
        return len(self.records)
