"""Decoding every frame of a data set, to find what is broken."""

from __future__ import annotations

from collections.abc import Iterator

from ..errors import DataError
from .base import Skipped, VideoDataset
from .parallel import in_parallel


def broken_videos(dataset: VideoDataset) -> Iterator[Skipped]:
    """The videos that cannot be decoded to their last frame, and why; those that the index left out first."""
    yield from dataset.skipped

    def check(video: int) -> Skipped | None:
        try:
            dataset.read(video, range(dataset.length(video)))
        except DataError as error:
            name = dataset.records[video].name
            return Skipped(name, str(error).rsplit(f"{name}: ", 1)[-1])
        return None

    for problem in in_parallel(check, range(len(dataset)), "decoding"):
        if problem is not None:
            yield problem
