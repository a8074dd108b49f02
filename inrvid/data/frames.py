"""Videos stored as folders of pictures, in the file system or in one zip."""

from __future__ import annotations

import abc
import io
import os
import re
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, ClassVar

import numpy as np
from PIL import Image

from ..errors import DataError
from .configs import FrameFolderConfig, FrameZipConfig
from .indexed import Found, IndexedDataset
from .labels import LABELS_FILE, Labels
from .parallel import in_parallel
from .video_files import files_in
from .video_info import VideoInfo

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp")


class Frames(IndexedDataset):
    """Each folder that holds pictures is a video; its frames are in the natural order of their names."""

    config: FrameFolderConfig | FrameZipConfig
    holds = f"folders of frames ({', '.join(suffix[1:] for suffix in SUFFIXES)})"
    labelled_by = (
        f'{LABELS_FILE} with "labels": [["folder", 0], …], or one sub-folder a class with the videos\' folders in it'
    )

    @abc.abstractmethod
    def _list(self) -> dict[str, int]:
        """Size in bytes of every picture file, by its name relative to the data set."""

    @abc.abstractmethod
    def _load(self, name: str) -> bytes:
        """Content of a file of the data set. Raises KeyError or OSError if there is none."""

    def _find(self) -> list[Found]:
        self._sizes: dict[str, int] = {}
        self._frames: dict[str, list[str]] = {}
        for name, size in self._list().items():
            video = str(PurePosixPath(name).parent)
            self._frames.setdefault(video, []).append(name)
            self._sizes[video] = self._sizes.get(video, 0) + size
        for names in self._frames.values():
            names.sort(key=natural)
        self._labels = self._read_labels()
        return [Found(video, self._label(video)) for video in sorted(self._frames, key=natural)]

    def _read_labels(self) -> Labels:
        try:
            content = self._load(LABELS_FILE)
        except (KeyError, OSError):
            return Labels()
        return Labels.parse(content, f"{self.path}: {LABELS_FILE}")

    def _label(self, video: str) -> str | None:
        if self._labels.numbers is not None:
            return self._labels.of(video, self._frames[video][0])
        return video.split("/")[0] if "/" in video else None

    def _classes(self, found: Sequence[Found]) -> list[str]:
        return self._labels.classes() or super()._classes(found)

    def _look_into(self, names: Sequence[str]) -> dict[str, VideoInfo | str]:
        return dict(zip(names, in_parallel(self._look, names, f"looking into {self.path}"), strict=True))

    def _look(self, video: str) -> VideoInfo | str:
        names = self._frames[video]
        try:
            with Image.open(io.BytesIO(self._load(names[0]))) as picture:
                width, height = picture.size
        except (OSError, ValueError, zipfile.BadZipFile) as error:
            return f"{PurePosixPath(names[0]).name}: {_reason(error)}"
        return VideoInfo.of_pictures(len(names), width, height, self._labels.rate(video) or self.config.source_fps)

    def _pictures(self, name: str, info: VideoInfo, frames: Sequence[int]) -> Iterator[tuple[int, np.ndarray]]:
        for number in frames:
            file = self._frames[name][number]
            try:
                with Image.open(io.BytesIO(self._load(file))) as picture:
                    yield number, np.array(picture.convert("RGB"))
            except (OSError, ValueError, KeyError, SyntaxError, zipfile.BadZipFile) as error:
                raise DataError(f"{self.path / file}: {_reason(error)}") from error

    def _bytes(self, name: str) -> int:
        return self._sizes[name]


class FrameFolder(Frames):
    """`ROOT/video/0001.jpg`, or `ROOT/class/video/0001.jpg`."""

    Config = FrameFolderConfig
    specificity: ClassVar[int] = 10

    @classmethod
    def matches(cls, path: Path) -> bool:
        return path.is_dir() and next(files_in(path, SUFFIXES), None) is not None

    def _list(self) -> dict[str, int]:
        if not self.path.is_dir():
            raise DataError(f"{self.path}: not a folder")
        return {file.relative_to(self.path).as_posix(): file.stat().st_size for file in files_in(self.path, SUFFIXES)}

    def _load(self, name: str) -> bytes:
        return (self.path / name).read_bytes()


class FrameZip(Frames):
    """A zip of folders of frames, as StyleGAN-V's: classes in `dataset.json` at its top.

    A folder that holds all others (the data set's own name) is no part of the videos' names.
    """

    Config = FrameZipConfig
    specificity: ClassVar[int] = 30
    _opened: tuple[int, zipfile.ZipFile] | None = None

    @classmethod
    def matches(cls, path: Path) -> bool:
        return path.is_file() and path.suffix.lower() == ".zip"

    def _list(self) -> dict[str, int]:
        members = {i.filename: i.file_size for i in self._zip().infolist() if _is_picture(i.filename)}
        self._prefix = _shared_folder(list(members))
        return {name.removeprefix(self._prefix): size for name, size in members.items()}

    def _load(self, name: str) -> bytes:
        archive = self._zip()
        prefixed = self._prefix + name
        return archive.read(prefixed if prefixed in archive.NameToInfo else name)

    def _zip(self) -> zipfile.ZipFile:
        """The archive, opened once in each process: the position in a file is shared between forked ones."""
        if self._opened is None or self._opened[0] != os.getpid():
            try:
                self._opened = (os.getpid(), zipfile.ZipFile(self.path))
            except (zipfile.BadZipFile, OSError) as error:
                raise DataError(f"{self.path}: not a zip file that can be read: {error}") from error
        return self._opened[1]

    def __getstate__(self) -> dict[str, Any]:
        return {key: value for key, value in self.__dict__.items() if key != "_opened"}


def natural(name: str) -> list[tuple[int, int, str]]:
    """Sort key under which 'frame10' comes after 'frame9'."""
    return [(0, int(part), part) if part.isdecimal() else (1, 0, part) for part in re.split(r"(\d+)", name) if part]


def _is_picture(name: str) -> bool:
    path = PurePosixPath(name)
    hidden = any(part.startswith((".", "__MACOSX")) for part in path.parts)
    return path.suffix.lower() in SUFFIXES and not hidden


def _shared_folder(names: list[str]) -> str:
    """'folder/' if all pictures are in sub-folders of one folder, else ''."""
    parts = [PurePosixPath(name).parts for name in names]
    if parts and all(len(path) > 2 and path[0] == parts[0][0] for path in parts):
        return f"{parts[0][0]}/"
    return ""


def _reason(error: Exception) -> str:
    if isinstance(error, Image.UnidentifiedImageError):
        return "not a picture"
    return getattr(error, "strerror", None) or str(error)
