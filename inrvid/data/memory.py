"""A data set whose frames are decoded once and kept."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..errors import DataError
from .base import VideoDataset
from .parallel import in_parallel
from .resize import sides

AUTO_BYTES = 512 * 2**20
"""`in_memory: auto` keeps data sets of at most this size, at the model's resolution."""


def kept_in_memory(dataset: VideoDataset) -> VideoDataset:
    """`dataset`, held in memory (`InMemory`) if its `config.in_memory` says so, else as it is."""
    wish = dataset.config.in_memory
    keep = bytes_in_memory(dataset) <= AUTO_BYTES if wish == "auto" else wish
    return InMemory(dataset) if keep else dataset


def bytes_in_memory(dataset: VideoDataset) -> int:
    height, width = sides(dataset.config.resolution)
    return sum(dataset.length(video) for video in range(len(dataset))) * height * width * 3


class InMemory(VideoDataset):
    """The videos of `dataset`, decoded in parallel at once or, if they are drawn (`dataset.drawn`), when first read. A
    video that fails to decode fails whenever it is read."""

    def __init__(self, dataset: VideoDataset):
        self._dataset = dataset
        self.config, self.records = dataset.config, dataset.records
        self.skipped, self.classes, self.left_out = dataset.skipped, dataset.classes, dataset.left_out
        self.passed_over, self.uneven = dataset.passed_over, dataset.uneven
        self._videos: list[np.ndarray | DataError | None] = [None] * len(dataset)
        if not dataset.drawn:
            self._videos = list(in_parallel(self._decode, range(len(dataset)), "decoding into memory"))

    def _decode(self, video: int) -> np.ndarray | DataError:
        try:
            return self._dataset.read(video, range(self._dataset.length(video)))
        except DataError as error:
            return error

    @classmethod
    def matches(cls, path: Path) -> bool:
        """False: it is made of another data set, not of a path."""
        return False

    def length(self, video: int) -> int:
        return self._dataset.length(video)

    def read(self, video: int, frames: Sequence[int]) -> np.ndarray:
        pictures = self._videos[video]
        if pictures is None:
            pictures = self._videos[video] = self._decode(video)
        if isinstance(pictures, DataError):
            raise DataError(str(pictures)) from pictures
        return pictures[np.asarray(frames, dtype=np.int64)]

    @property
    def fps(self) -> float:
        return self._dataset.fps

    @property
    def fingerprint(self) -> str:
        return self._dataset.fingerprint

    @property
    def frames_fingerprint(self) -> str:
        return self._dataset.frames_fingerprint
