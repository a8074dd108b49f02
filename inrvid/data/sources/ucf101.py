"""UCF-101: one folder a class, and three official splits into training and test videos."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

from pydantic import Field

from ...config import describe
from ...errors import DataError
from ...files import read_text
from ..indexed import Found, IndexedDataset
from ..video_files import VideoFiles

LIST_FOLDERS = ("ucfTrainTestlist", "UCF101TrainTestSplits-RecognitionTask/ucfTrainTestlist")

LISTED = re.compile(r"[^/\\\0]+/v_[^/\\\0]+\.avi")
"""'Class/v_….avi'."""


class Ucf101(VideoFiles):
    """UCF-101's layout with its split files.

    `ROOT/UCF-101/Class/v_*.avi` or `ROOT/Class/v_*.avi`; splits in `ROOT/ucfTrainTestlist/`.
    """

    source = "UCF-101 (2012)"

    class Config(IndexedDataset.Config):
        split: Literal["train", "test", "all"] = Field("all", description="part of the data")
        split_number: Literal[1, 2, 3] = Field(1, description="which of the three official splits")

    config: Config
    specificity = 30
    holds = "UCF-101 videos (UCF-101/ClassName/v_*.avi or ClassName/v_*.avi)"
    labelled_by = "one sub-folder a class, with the videos in it"

    @property
    def root(self) -> Path:
        return _videos_root(self.path)

    @classmethod
    def matches(cls, path: Path) -> bool:
        return next(_videos_root(path).glob("*/v_*_g[0-9]*_c[0-9]*.avi"), None) is not None

    def _find(self) -> list[Found]:
        names = {name for name in self._names_in(self.root) if LISTED.fullmatch(name)}
        if not names or self.config.split == "all":
            return [Found(name, name.split("/")[0]) for name in sorted(names)]
        listed, where = self._split()
        return [
            Found(
                name,
                name.split("/")[0],
                None if name in names else f"is in {where}, but there is no such file",
            )
            for name in sorted(listed)
        ]

    def _split(self) -> tuple[list[str], str]:
        """Names of the videos of the configured split, and the name of the file that lists them.

        Raises DataError if there is no such file, or if it is no list of videos.
        """
        name = f"{self.config.split}list{self.config.split_number:02d}.txt"
        for folder in LIST_FOLDERS:
            file = self.path / folder / name
            if file.exists():
                return _names(file), name
        looked = " and ".join(str(Path(folder) / name) for folder in LIST_FOLDERS)
        raise DataError(f"{self.path}: no list of the {self.config.split} split. Looked for {looked}")


def _names(file: Path) -> list[str]:
    """The names of a list: lines 'Class/v_….avi 12' for training, 'Class/v_….avi' for test. Raises DataError."""
    try:
        lines = read_text(file).splitlines()
    except OSError as error:
        raise DataError(f"{file}: {error.strerror}") from error
    names = []
    for number, line in enumerate(lines, 1):
        name, *_ = line.split() or [""]
        if name and not LISTED.fullmatch(name):
            raise DataError(f"{file}: line {number}: expected 'Class/v_….avi', got {describe(line)}")
        names += [name] if name else []
    return names


def _videos_root(path: Path) -> Path:
    return path / "UCF-101" if (path / "UCF-101").is_dir() else path
