"""Video files on disk: the part of a data set that reads them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from .decode import check_file, pictures
from .finding import OTHERS, VIDEOS, files_in, left_out, names_in
from .index import index_files
from .indexed import IndexedDataset
from .video_info import VideoInfo


class VideoFiles(IndexedDataset):
    """Videos that are files of their own, named relative to a root folder."""

    holds = f"video files ({', '.join(suffix[1:] for suffix in VIDEOS)})"

    @property
    def root(self) -> Path:
        """The folder that names are relative to."""
        return self.path

    def _where(self, name: str) -> Path:
        return self.root / name

    def _look_into(self, names: Sequence[str]) -> dict[str, VideoInfo | str]:
        return index_files(self.root, names)

    def _pictures(self, name: str, info: VideoInfo, frames: Sequence[int]) -> Iterator[tuple[int, np.ndarray]]:
        return pictures(self.root / name, info, frames)

    def check(self, video: int) -> None:
        check_file(self.root / self.records[video].name, self._infos[video])

    def _names_in(self, path: Path) -> list[str]:
        """Names of the video files below `path`, sorted; records what is left out and passed over."""
        passed: list[Path] = []
        files = [file.relative_to(self.root).as_posix() for file in files_in(path, (*VIDEOS, *OTHERS), passed)]
        self.left_out = left_out(files, OTHERS)
        self.passed_over = names_in(self.root, passed)
        return sorted(name for name in files if Path(name).suffix.lower() in VIDEOS)
