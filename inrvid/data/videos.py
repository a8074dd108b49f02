"""A folder of video files."""

from __future__ import annotations

from pathlib import Path

from .configs import VideoFolderConfig
from .indexed import Found
from .video_files import SUFFIXES, VideoFiles, files_in


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
