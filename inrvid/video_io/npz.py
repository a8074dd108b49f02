"""Frames as a NumPy array: `np.load("out.npz")["frames"]`, uint8 `[T, H, W, 3]`, and `["fps"]`."""

from __future__ import annotations

import contextlib
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ..files import replacing
from .base import Video, Write


@contextlib.contextmanager
def npz(path: Path, video: Video) -> Iterator[Write]:
    """Uncompressed. The array's size is written before it, so exactly as many frames must come as were announced."""
    with replacing(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        with archive.open(_entry("fps"), "w") as file:
            np.lib.format.write_array(file, np.array(video.fps), allow_pickle=False)
        with archive.open(_entry("frames"), "w", force_zip64=True) as file:
            written = 0

            def write(frames: np.ndarray) -> None:
                nonlocal written
                if not written:
                    shape = (video.frames, *frames.shape[1:])
                    header = {"descr": "|u1", "fortran_order": False, "shape": shape}
                    np.lib.format.write_array_header_1_0(file, header)
                file.write(np.ascontiguousarray(frames).data)
                written += len(frames)

            yield write
        if written != video.frames:
            raise ValueError(f"{written} frames came, {video.frames} were announced")


def _entry(name: str) -> zipfile.ZipInfo:
    """With a fixed date, so that the same frames give the same file."""
    return zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
