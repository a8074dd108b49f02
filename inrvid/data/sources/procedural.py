"""Procedural videos: a data set that needs no download. Of one configuration, video i of a split
depends on (split, i) alone.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from pydantic import AfterValidator, Field

from ...errors import DataError
from ...random import Draws, SampleKey
from ..base import Skipped, VideoDataset, VideoRecord
from .scenes import Array, Points, Scene

VERSION = 2
"""Part of the fingerprint; goes up when the same video would be drawn differently."""

SOURCE_FPS = 25.0

POINTS_AT_ONCE = 2**15
"""How many points are drawn at a time, so that temporaries fit the cache."""


def _different(values: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(values)) < len(values):
        raise ValueError(f"each may be named once, got {', '.join(values)}")
    return values


class ProceduralScenes(VideoDataset):
    """Moving landscapes drawn by formulas: needs no download.

    Suns cross the sky, clouds drift, and the light changes; classes are times of day, in equal numbers.

    Raises:
        DataError: `frames` is less than `clip_length`.
    """

    drawn = True
    terms = "They are drawn by formulas of this library: nobody's work is in them, and nobody's licence on them."

    class Config(VideoDataset.Config):
        split: Literal["train", "test"] = Field("train", description="the two have no video in common")
        videos: Annotated[int, Field(ge=1, le=10**6)] = Field(512, description="number of videos")
        frames: Annotated[int, Field(ge=1, le=10**6)] = Field(16, description="frames per video")
        elements: Annotated[tuple[Literal["clouds", "hills", "lake"], ...], Field(strict=False)] = Field(
            ("clouds", "hills", "lake"), description="what may appear besides the sky and its sun or moon"
        )
        times_of_day: Annotated[
            tuple[Literal["dawn", "day", "dusk", "night"], ...],
            Field(strict=False, min_length=1),
            AfterValidator(_different),
        ] = Field(("dawn", "day", "dusk", "night"), description="in equal numbers; with labels, the classes")

    config: Config

    def __init__(self, config: Config):
        if config.frames < config.clip_length:
            raise DataError(
                f"procedural videos of {config.frames} frames hold no clip of {config.clip_length}: "
                f"set data.frames={config.clip_length} or more"
            )
        self.config = config
        side = config.resolution
        self.height, self.width = (side, side) if isinstance(side, int) else side
        self.classes = sorted(config.times_of_day) if config.labels else []
        self.skipped: list[Skipped] = []
        self.records = [self._record(video) for video in range(config.videos)]

    def _record(self, video: int) -> VideoRecord:
        label = self._time_of_day(video) if self.config.labels else None
        name = f"{self.config.split}-{video:06d}"
        return VideoRecord(name, self.config.frames, SOURCE_FPS, self.width, self.height, label)

    @classmethod
    def matches(cls, path: Path) -> bool:
        """False: nothing on disk is a procedural video."""
        return False

    def length(self, video: int) -> int:
        return self.config.frames

    @property
    def fps(self) -> float:
        return (self.config.fps or SOURCE_FPS) / self.config.stride

    @property
    def fingerprint(self) -> str:
        return self._digest(self.config.labels)

    @property
    def frames_fingerprint(self) -> str:
        return self._digest(False)

    def _digest(self, labels: bool) -> str:
        of_frames = {"split", "videos", "frames", "elements", "times_of_day"}
        contents = self.config.model_dump(mode="json", include=of_frames)
        contents |= {"labels": labels, "version": VERSION, "fps": self.fps, "size": [self.height, self.width]}
        return hashlib.sha256(json.dumps(contents, sort_keys=True).encode()).hexdigest()

    def summary(self) -> list[str]:
        """What the data set contains, in lines of text."""
        lines = [f"{len(self)} procedural videos, {self.config.frames} frames each, {self.fps:g} fps"]
        return [*lines, f"classes: {', '.join(self.classes)}"] if self.classes else lines

    def scene(self, video: int) -> Scene:
        """The scene of a video, to be drawn at any time and size."""
        draws = Draws([SampleKey(0, 0, video)], f"procedural scenes, {self.config.split}")
        return Scene(draws, self._time_of_day(video), self.config.elements)

    def read(self, video: int, frames: Sequence[int]) -> np.ndarray:
        scene, t = self.scene(video), np.asarray(frames, np.float64) / self.fps
        step = max(1, POINTS_AT_ONCE // (4 * self.height * self.width))
        parts = [self._draw(scene, t[start : start + step]) for start in range(0, len(t), step)]
        return np.concatenate(parts) if parts else np.empty((0, self.height, self.width, 3), np.uint8)

    def _draw(self, scene: Scene, t: Array) -> np.ndarray:
        """Frames at times t; a pixel is the mean of 2 × 2 points, and edges are already soft at the points."""
        image = scene.draw(Points.of(t, 2 * self.height, 2 * self.width))
        rows = image[:, ::2] + image[:, 1::2]
        image = (rows[..., ::2] + rows[..., 1::2]) / 4
        pixels = (np.clip(image, 0, 1) * 255 + 0.5).astype(np.uint8)
        return np.ascontiguousarray(pixels.transpose(2, 1, 3, 0))

    def _time_of_day(self, video: int) -> str:
        return self.config.times_of_day[video % len(self.config.times_of_day)]
