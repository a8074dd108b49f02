"""Videos stored as folders of pictures, in the file system or in one zip."""

from __future__ import annotations

import abc
import contextlib
import os
import re
import zipfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, ClassVar

import numpy as np
from pydantic import Field

from ... import files
from ...config import Fps
from ...errors import DataError
from .. import picture
from ..damage import UnreadableError, decoding
from ..finding import OTHERS, PICTURES, VIDEOS, classes_by_folder, files_in, left_out, names_in
from ..indexed import Found, IndexedDataset
from ..labels import LABELS_FILE, MOST_BYTES, Labels, as_posix
from ..parallel import in_parallel
from ..video_info import VideoInfo

LEFT_OUT = (*VIDEOS, *OTHERS)
"""What may lie beside frames without being one."""

CODECS = {".jpg": "jpeg", ".tif": "tiff"}
"""Codecs of suffixes that are not the format's name."""


class Frames(IndexedDataset):
    """Each folder that holds pictures is a video; its frames are in the natural order of their names."""

    config: FrameFolder.Config | FrameZip.Config
    holds = f"folders of frames ({', '.join(suffix[1:] for suffix in PICTURES)})"
    labelled_by = (
        f'{LABELS_FILE} with "labels": [["folder", 0], …], or one sub-folder a class with the videos\' folders in it'
    )

    checked_by_zip: ClassVar[bool] = False
    """Whether the pictures are stored in something that has a checksum for each."""

    @abc.abstractmethod
    def _list(self) -> dict[str, int]:
        """Size in bytes of every picture, and of every file in `LEFT_OUT`, by its name relative to the data set."""

    @abc.abstractmethod
    def _load(self, name: str, limit: int) -> bytes | None:
        """Content of a file of the data set, of at most `limit` bytes; None if there is none.

        Raises UnreadableError.
        """

    def _find(self) -> list[Found]:
        self._sizes: dict[str, int] = {}
        self._frames: dict[str, list[str]] = {}
        sizes = self._list()
        self.left_out = left_out(sizes, LEFT_OUT)
        for name, size in sizes.items():
            path = PurePosixPath(name)
            if path.suffix.lower() in PICTURES:
                video = str(path.parent)
                self._frames.setdefault(video, []).append(name)
                self._sizes[video] = self._sizes.get(video, 0) + size
        for names in self._frames.values():
            names.sort(key=natural)
        self._labels = self._read_labels()
        by_folder = classes_by_folder(list(self._frames))
        return [
            Found(video, self._label(video, by_folder[video]), _two_kinds(self._frames[video]))
            for video in sorted(self._frames, key=natural)
        ]

    def _read_labels(self) -> Labels:
        where = f"{self.path}: {LABELS_FILE}"
        try:
            content = self._load(LABELS_FILE, MOST_BYTES)
        except UnreadableError as error:
            raise DataError(f"{where}: {error}") from error
        return Labels() if content is None else Labels.parse(content, where)

    def _label(self, video: str, by_folder: str | None) -> str | None:
        if self._labels.numbers is not None:
            return self._labels.of(video, self._frames[video][0])
        return by_folder

    def _classes(self, found: Sequence[Found]) -> list[str]:
        return self._labels.classes(f"{self.path}: {LABELS_FILE}") or super()._classes(found)

    def _look_into(self, names: Sequence[str]) -> dict[str, VideoInfo | str]:
        return dict(zip(names, in_parallel(self._look, names, f"looking into {self.path}"), strict=True))

    def _look(self, video: str) -> VideoInfo | str:
        names = self._frames[video]
        first = PurePosixPath(names[0])
        try:
            width, height = picture.size(self._picture(names[0]))
        except UnreadableError as error:
            return f"{first.name}: {error}"
        suffix = first.suffix.lower()
        codec = "" if self.checked_by_zip else CODECS.get(suffix, suffix[1:])
        rate = self._labels.rate(video) or self.config.source_fps
        return VideoInfo.of_pictures(len(names), width, height, rate, self._sizes[video], codec)

    def _pictures(self, name: str, info: VideoInfo, frames: Sequence[int]) -> Iterator[tuple[int, np.ndarray]]:
        for number in frames:
            file = self._frames[name][number]
            try:
                pixels = picture.pixels(self._picture(file))
            except UnreadableError as error:
                raise DataError(f"{self.path / file}: {error}") from error
            yield number, pixels

    def _picture(self, name: str) -> bytes:
        content = self._load(name, picture.MOST_BYTES)
        if content is None:
            raise UnreadableError("no such file")
        return content


class FrameFolder(Frames):
    """Folders of frames (jpg, png), one per video.

    `ROOT/video/0001.jpg`, or `ROOT/class/video/0001.jpg`.
    """

    class Config(IndexedDataset.Config):
        source_fps: Fps = Field(25.0, description="frame rate of the frames on disk")

    specificity: ClassVar[int] = 10

    @classmethod
    def matches(cls, path: Path) -> bool:
        return path.is_dir() and next(files_in(path, PICTURES), None) is not None

    def _list(self) -> dict[str, int]:
        if not self.path.is_dir():
            raise DataError(f"{self.path}: not a folder")
        passed: list[Path] = []
        found = files_in(self.path, (*PICTURES, *LEFT_OUT), passed)
        sizes = {file.relative_to(self.path).as_posix(): _size(file) for file in found}
        self.passed_over = names_in(self.path, passed)
        return sizes

    def _load(self, name: str, limit: int) -> bytes | None:
        try:
            with decoding():
                return files.read_bytes(self.path / name, limit)
        except UnreadableError as error:
            if isinstance(error.__cause__, FileNotFoundError):
                return None
            raise


class FrameZip(Frames):
    """A zip of frame folders, labels in dataset.json.

    `dataset.json` is at its top level, as in StyleGAN-V's. A folder that holds all others (named after the data set) is
    not part of the videos' names.
    """

    source = "StyleGAN-V's format"

    class Config(IndexedDataset.Config):
        source_fps: Fps = Field(25.0, description="frame rate of the frames in the zip, if it does not say")

    specificity: ClassVar[int] = 30
    checked_by_zip = True
    _opened: tuple[int, zipfile.ZipFile, contextlib.ExitStack] | None = None

    @classmethod
    def matches(cls, path: Path) -> bool:
        return path.is_file() and path.suffix.lower() == ".zip"

    def _list(self) -> dict[str, int]:
        kinds = (*PICTURES, *LEFT_OUT)
        names = set(self._zip().NameToInfo)
        self._members = {as_posix(name): name for name in names}
        if len(self._members) < len(names):
            raise DataError(f"{self.path}: holds names that differ in '/' and '\\' alone: zip it anew")
        found = [name for name in self._members if PurePosixPath(name).suffix.lower() in kinds and not _is_hidden(name)]
        self._prefix = _shared_folder([name for name in found if PurePosixPath(name).suffix.lower() in PICTURES])
        sizes = self._zip().NameToInfo
        return {name.removeprefix(self._prefix): sizes[self._members[name]].file_size for name in found}

    def _load(self, name: str, limit: int) -> bytes | None:
        member = self._members.get(self._prefix + name, self._members.get(name))
        if member is None:
            return None
        archive = self._zip()
        with decoding():
            info = archive.getinfo(member)
            if info.file_size > limit:
                raise UnreadableError(f"too large: {info.file_size} bytes, where at most {limit} are expected")
            if info.flag_bits & 1:
                raise UnreadableError("encrypted: unpack the zip with its password, and give the folder")
            with archive.open(info) as file:
                return file.read(limit + 1)  # and no more than the member's size, whatever it inflates to

    def _zip(self) -> zipfile.ZipFile:
        """The archive, opened once in each process, since forked processes share the position in a file."""
        if self._opened is None or self._opened[0] != os.getpid():
            try:
                with contextlib.ExitStack() as stack, decoding():
                    archive = zipfile.ZipFile(stack.enter_context(files.opened(self.path)))
                    self._opened = (os.getpid(), archive, stack.pop_all())
            except UnreadableError as error:
                raise DataError(f"{self.path}: not a zip file that can be read: {error}") from error
        return self._opened[1]

    def __getstate__(self) -> dict[str, Any]:
        return {key: value for key, value in self.__dict__.items() if key != "_opened"}


def natural(name: str) -> list[tuple[int, int, str, str]]:
    """Sort key under which 'frame10' comes after 'frame9'."""
    parts = [(part.isdecimal(), part.lstrip("0"), part) for part in re.split(r"(\d+)", name) if part]
    # By length and digits rather than as numbers, which Python reads only up to 4,300 digits.
    return [(0, len(digits), digits, part) if decimal else (1, 0, part, part) for decimal, digits, part in parts]


def _two_kinds(names: list[str]) -> str | None:
    """What is wrong with a folder that holds '0001.png' beside '0001.jpg'."""
    stems = Counter(PurePosixPath(name).stem for name in names)
    twice = next((stem for stem, count in stems.items() if count > 1), None)
    if twice is None:
        return None
    first, second = [PurePosixPath(name).name for name in names if PurePosixPath(name).stem == twice][:2]
    return f"which are its frames: {first} or {second}? Remove one kind"


def _size(path: Path) -> int:
    """Size in bytes; 0 if nothing is there: reading it will say so."""
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _is_hidden(name: str) -> bool:
    return any(part.startswith((".", "__MACOSX")) for part in PurePosixPath(name).parts)


def _shared_folder(names: list[str]) -> str:
    """'folder/' if all pictures are in sub-folders of one folder, else ''."""
    parts = [PurePosixPath(name).parts for name in names]
    if parts and all(len(path) > 2 and path[0] == parts[0][0] for path in parts):
        return f"{parts[0][0]}/"
    return ""
