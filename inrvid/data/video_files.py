"""Video files on disk: finding them, and the part of a data set that reads them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from .decode import pictures
from .index import index_files
from .indexed import IndexedDataset
from .video_info import VideoInfo

SUFFIXES = (".mp4", ".avi", ".mkv", ".mov", ".webm", ".gif", ".m4v")


class VideoFiles(IndexedDataset):
    """Videos that are files of their own, named relative to a root folder."""

    holds = f"video files ({', '.join(suffix[1:] for suffix in SUFFIXES)})"

    @property
    def root(self) -> Path:
        """The folder that names are relative to."""
        return self.path

    def _look_into(self, names: Sequence[str]) -> dict[str, VideoInfo | str]:
        return index_files(self.root, names)

    def _pictures(self, name: str, info: VideoInfo, frames: Sequence[int]) -> Iterator[tuple[int, np.ndarray]]:
        return pictures(self.root / name, info, frames)

    def _bytes(self, name: str) -> int:
        return (self.root / name).stat().st_size


def files_in(path: Path, suffixes: Sequence[str]) -> Iterator[Path]:
    """Files below `path` (or `path` itself) with one of the suffixes, no hidden ones, in no certain order."""
    if path.is_file():
        yield from [path] if path.suffix.lower() in suffixes else []
        return
    seen: set[str] = set()
    for folder, subfolders, files in os.walk(path, followlinks=True):
        real = os.path.realpath(folder)
        if real in seen:  # a link to a folder above itself
            subfolders.clear()
            continue
        seen.add(real)
        subfolders[:] = [name for name in subfolders if not name.startswith(".")]
        for name in files:
            if not name.startswith(".") and Path(name).suffix.lower() in suffixes:
                yield Path(folder, name)
