"""Any data set as a zip of frame folders: decoded and resized once, quick to read ever after."""

from __future__ import annotations

import dataclasses
import io
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np
from PIL import Image

from ..errors import DataError
from ..files import replacing
from .base import Skipped, VideoDataset
from .labels import LABELS_FILE, Labels
from .parallel import in_parallel

Format = Literal["jpeg", "png"]
SUFFIXES: dict[Format, str] = {"jpeg": "jpg", "png": "png"}
EPOCH = (1980, 1, 1, 0, 0, 0)
"""Time stamp of all members: the same videos give the same file, byte for byte."""


@dataclasses.dataclass(frozen=True)
class _Encoded:
    """One video: its folder in the zip and its frames as files, or why it could not be read."""

    video: int
    folder: str
    frames: list[bytes]
    problem: str | None = None


def convert(dataset: VideoDataset, out: Path, format: Format = "jpeg", quality: int = 95) -> list[Skipped]:
    """Writes all frames of `dataset`, at its resolution and rate, to `out`, with classes and rates.

    Args:
        out: the zip file; it is either whole or not there.
        format: png is lossless; jpeg keeps full colour resolution (no chroma subsampling).
        quality: of jpeg, 1 … 100.

    Returns: the videos that could not be decoded (`config.on_error: skip`).
    Raises DataError: one could not be decoded (`on_error: fail`), or none could.
    """
    written: list[_Encoded] = []
    skipped: list[Skipped] = []
    with replacing(out) as temporary:
        with zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED) as archive:
            for encoded in _encode_all(dataset, format, quality):
                if encoded.problem is not None:
                    skipped.append(_unless_fatal(dataset, encoded))
                    continue
                for number, content in enumerate(encoded.frames):
                    _write(archive, f"{encoded.folder}/{number:06d}.{SUFFIXES[format]}", content)
                written.append(dataclasses.replace(encoded, frames=[]))
            _write(archive, LABELS_FILE, _labels(dataset, written).to_json().encode())
        if not written:
            raise DataError(f"{dataset.config.path}: none of its videos could be decoded")
    return skipped


def _encode_all(dataset: VideoDataset, format: Format, quality: int) -> Iterator[_Encoded]:
    options: dict[str, Any] = {"quality": quality, "subsampling": 0} if format == "jpeg" else {}

    def encode(video: int) -> _Encoded:
        folder = _folder(video, dataset.records[video].name)
        try:
            pictures = dataset.read(video, range(dataset.length(video)))
        except DataError as error:
            return _Encoded(video, folder, [], str(error))
        return _Encoded(video, folder, [_file(picture, format, options) for picture in pictures])

    return in_parallel(encode, range(len(dataset)), "converting")


def _file(picture: np.ndarray, format: Format, options: dict[str, Any]) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, format, **options)
    return buffer.getvalue()


def _folder(video: int, name: str) -> str:
    """'000012_v_Archery_g01_c01': in the data set's order, unique, and one level deep, for StyleGAN-V."""
    stem = Path(name).with_suffix("").name
    return f"{video:06d}_{re.sub(r'[^A-Za-z0-9._-]+', '-', stem)}".rstrip("._-")


def _write(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    member = zipfile.ZipInfo(name, EPOCH)
    member.external_attr = 0o644 << 16
    archive.writestr(member, content)


def _labels(dataset: VideoDataset, written: list[_Encoded]) -> Labels:
    rates = {item.folder: dataset.rate(item.video) for item in written}
    numbers = {item.folder: dataset.label(item.video) for item in written} if dataset.classes else None
    same = len(set(rates.values())) == 1
    return Labels(numbers, tuple(dataset.classes), next(iter(rates.values())) if same else rates)


def _unless_fatal(dataset: VideoDataset, encoded: _Encoded) -> Skipped:
    if dataset.config.on_error == "fail":
        raise DataError(encoded.problem or "")
    return Skipped(dataset.records[encoded.video].name, encoded.problem or "")
