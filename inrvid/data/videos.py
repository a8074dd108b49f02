"""A folder of video files."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from .configs import VideoFolderConfig
from .decode import pictures
from .index import index_files
from .indexed import Found, IndexedDataset
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


class VideoFolder(VideoFiles):
    """All video files in a folder and its sub-folders; or a single file."""

    Config = VideoFolderConfig
    specificity = 20
    labelled_by = "one sub-folder a class, with the videos in it"

    @property
    def root(self) -> Path:
        return self.path.parent if self.path.is_file() else self.path

    @classmethod
    def matches(cls, path: Path) -> bool:
        return next(files_in(path, SUFFIXES), None) is not None

    def _find(self) -> list[Found]:
        names = sorted(file.relative_to(self.root).as_posix() for file in files_in(self.path, SUFFIXES))
        return [Found(name, name.split("/")[0] if "/" in name else None) for name in names]


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
