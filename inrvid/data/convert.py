"""Conversion of any data set to a zip of frame folders: decoded and resized once, quick to read from then on."""

from __future__ import annotations

import dataclasses
import io
import itertools
import re
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any, Literal

import numpy as np
from PIL import Image

from ..config import HIGHEST_FPS, LOWEST_FPS
from ..errors import DataError
from ..files import replacing
from .base import Skipped, VideoDataset
from .finding import VIDEOS
from .labels import LABELS_FILE, Labels
from .parallel import in_parallel

Format = Literal["jpeg", "png"]
SUFFIXES: dict[Format, str] = {"jpeg": "jpg", "png": "png"}
EPOCH = (1980, 1, 1, 0, 0, 0)
"""Time stamp of all members, so that the same videos give the same file, byte for byte."""

IN_MEMORY = 4 * 2**20
"""Bytes of a video's encoded frames that may wait in memory to be written to the zip; more wait in a file."""

PIECE = 8 * 2**20

Place = tuple[int, int]
"""(start, length) of an encoded frame within the content that waits."""


@dataclasses.dataclass(frozen=True)
class _Encoded:
    """One video: its folder in the zip and its encoded frames, or why it could not be read.

    Frames are not written to the zip as they are decoded, since the last one may turn out to be broken.
    """

    video: int
    folder: str
    content: tempfile.SpooledTemporaryFile[bytes]
    places: list[Place]
    problem: DataError | None = None

    def frames(self) -> Iterator[bytes]:
        for start, length in self.places:
            self.content.seek(start)
            yield self.content.read(length)


def convert(dataset: VideoDataset, out: Path, format: Format = "jpeg", quality: int = 95) -> list[Skipped]:
    """Write all frames of `dataset`, at its resolution and rate, to `out`, with classes and frame rates.

    Args:
        out: the zip file; it is written completely or not at all.
        format: png is lossless; jpeg keeps full colour resolution (no chroma subsampling).
        quality: of jpeg, 1 … 100.

    Returns:
        The videos that could not be decoded (`config.on_error: skip`).

    Raises:
        DataError: a video could not be decoded (`on_error: fail`), or none could; a frame rate that a zip cannot have;
            `out` is the file that is read, or an existing file that is not a zip of frames.
    """
    _check_target(dataset, out)
    _check_rates(dataset)
    written: list[_Encoded] = []
    skipped: list[Skipped] = []
    with replacing(out) as temporary:
        with zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED) as archive:
            for encoded in _encode_all(dataset, out.parent, format, quality):
                with encoded.content:
                    if encoded.problem is not None:
                        skipped.append(_unless_fatal(dataset, encoded.video, encoded.problem))
                        continue
                    for number, content in enumerate(encoded.frames()):
                        _write(archive, f"{encoded.folder}/{number:06d}.{SUFFIXES[format]}", content)
                encoded.places.clear()
                written.append(encoded)
            _write(archive, LABELS_FILE, _labels(dataset, written).to_json().encode())
        if not written:
            raise DataError(f"{dataset.config.path}: none of its videos could be decoded")
    return skipped


def _check_target(dataset: VideoDataset, out: Path) -> None:
    if not out.is_file():
        return
    if dataset.config.path and Path(dataset.config.path).exists() and out.samefile(dataset.config.path):
        raise DataError(f"{out}: is the data to be converted: give the zip another name")
    try:
        with zipfile.ZipFile(out) as archive:
            ours = LABELS_FILE in archive.namelist()
    except (OSError, zipfile.BadZipFile):
        ours = False
    if not ours:
        raise DataError(f"{out}: exists, and is not a zip of frames: give another name, or remove it")


def _check_rates(dataset: VideoDataset) -> None:
    for video, record in enumerate(dataset.records):
        rate = dataset.rate(video)
        if not LOWEST_FPS <= rate <= HIGHEST_FPS:
            raise DataError(
                f"{record.name}: {rate:.3g} frames a second; in a zip: between {LOWEST_FPS:g} and {HIGHEST_FPS:g}"
            )


def _encode_all(dataset: VideoDataset, beside: Path, format: Format, quality: int) -> Iterator[_Encoded]:
    options: dict[str, Any] = {"quality": quality, "subsampling": 0} if format == "jpeg" else {}

    def encode(video: int) -> _Encoded:
        places: list[Place] = [(0, 0)] * dataset.length(video)
        content = tempfile.SpooledTemporaryFile(IN_MEMORY, dir=str(beside))  # noqa: SIM115 (closed when it is written)
        encoded = _Encoded(video, _folder(video, _name(dataset, video)), content, places)
        try:
            for piece in _pieces(dataset.each(video)):
                for number, picture in piece:
                    start = content.tell()
                    places[number] = (start, content.write(_file(picture, format, options)))
        except DataError as error:
            return dataclasses.replace(encoded, problem=error)
        return encoded

    return in_parallel(encode, range(len(dataset)), "converting")


def _pieces(pictures: Iterator[tuple[int, np.ndarray]]) -> Iterator[list[tuple[int, np.ndarray]]]:
    """Pictures in groups of about `PIECE` bytes: decoding and encoding them one by one in turn is slower by a third."""
    for first in pictures:
        more = itertools.islice(pictures, PIECE // first[1].nbytes)
        yield [first, *more]


def _file(picture: np.ndarray, format: Format, options: dict[str, Any]) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, format, **options)
    return buffer.getvalue()


def _name(dataset: VideoDataset, video: int) -> str:
    """A video's name; if its frames lie in the given folder itself, that folder's name."""
    name = dataset.records[video].name
    return Path(dataset.config.path or "").resolve().name if name == "." else name


def _folder(video: int, name: str) -> str:
    """'000012_v_Archery_g01_c01': in the data set's order, unique, and one level deep, for StyleGAN-V."""
    path = PurePosixPath(name)
    stem = path.stem if path.suffix.lower() in (*VIDEOS, ".zip") else path.name
    return f"{video:06d}_{re.sub(r'[^A-Za-z0-9._-]+', '-', stem)[:100]}".rstrip("._-")


def _write(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    member = zipfile.ZipInfo(name, EPOCH)
    member.external_attr = 0o644 << 16
    archive.writestr(member, content)


def _labels(dataset: VideoDataset, written: list[_Encoded]) -> Labels:
    rates = {item.folder: dataset.rate(item.video) for item in written}
    numbers = {item.folder: dataset.label(item.video) for item in written} if dataset.classes else None
    same = len(set(rates.values())) == 1
    return Labels(numbers, tuple(dataset.classes), next(iter(rates.values())) if same else rates)


def _unless_fatal(dataset: VideoDataset, video: int, problem: DataError) -> Skipped:
    if dataset.config.on_error == "fail":
        raise problem
    return Skipped.because(dataset.records[video].name, problem)
