"""Check that a GIF is complete: libav takes a truncated one for a shorter video."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

from .. import files
from .damage import UnreadableError, decoding

EXTENSION, IMAGE, TRAILER = 0x21, 0x2C, 0x3B
HEADER = 13
"""Bytes of the signature and the logical screen."""


def check_whole_gif(path: Path) -> None:
    """Raise UnreadableError if a GIF has no trailer, or invalid blocks before it. What follows it is ignored."""
    with decoding("broken: "), files.opened(path) as file:
        header = _read(file, HEADER)
        _skip_colours(file, header[10])
        while (kind := _read(file, 1)[0]) != TRAILER:
            if kind == EXTENSION:
                _read(file, 1)
                _skip_blocks(file)
            elif kind == IMAGE:
                _skip_colours(file, _read(file, 9)[8])
                _read(file, 1)
                _skip_blocks(file)
            elif kind != 0:  # some writers end a block twice
                raise UnreadableError(f"broken: a GIF with a block of kind {kind:#04x}")


def _skip_colours(file: BinaryIO, flags: int) -> None:
    if flags & 0x80:
        _read(file, 3 << (flags & 7) + 1)


def _skip_blocks(file: BinaryIO) -> None:
    while size := _read(file, 1)[0]:
        _read(file, size)


def _read(file: BinaryIO, count: int) -> bytes:
    content = file.read(count)
    if len(content) < count:
        raise UnreadableError("truncated: a GIF without its end")
    return content
