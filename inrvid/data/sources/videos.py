"""A folder of video files."""

from __future__ import annotations

from pathlib import Path

from ..finding import are_videos, classes_by_folder
from ..indexed import Found, IndexedDataset
from ..video_files import VideoFiles


class VideoFolder(VideoFiles):
    """A folder of video files; class = sub-folder.

    Sub-folders are searched to any depth; a single file is a data set, too.
    """

    class Config(IndexedDataset.Config):
        pass

    specificity = 20
    labelled_by = "one sub-folder a class, with the videos in it"

    @property
    def root(self) -> Path:
        return self.path.parent if self.path.is_file() else self.path

    @classmethod
    def matches(cls, path: Path) -> bool:
        return are_videos(path)

    def _find(self) -> list[Found]:
        return [Found(name, label) for name, label in classes_by_folder(self._names_in(self.path)).items()]
