"""Picture files: their size, and their pixels as they are shown."""

from __future__ import annotations

import contextlib
import io
import warnings

import numpy as np
from PIL import Image

from .damage import UnreadableError, decoding
from .orientation import Orientation, of_exif

MOST_PIXELS = 100_000_000
"""Larger pictures are not decoded: a file of a few bytes can announce any size."""

MOST_BYTES = 512 * 2**20
"""Larger files are not read."""

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF")
"""Formats that are read, whatever a file's name: for some others, Pillow starts other programs."""

ORIENTATION = 0x0112
"""EXIF's tag."""

EXIF_MARKS = (b"eXIf", b"exif", b"tiff:Orientation")
"""A PNG that says how it is to be rotated contains one of these."""

# The limit above is ours; Pillow's is lower. Whatever else it warns about is either reported as an error or harmless.
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")


def size(content: bytes) -> tuple[int, int]:
    """(width, height) of a picture as it is shown, from its header if possible. Raises UnreadableError."""
    with decoding():
        picture = _opened(content)
        if picture.format == "PNG":  # its EXIF may follow the pixels
            if not any(mark in content for mark in EXIF_MARKS):
                return picture.size
            picture.load()
        height, width = _orientation(picture).size(picture.height, picture.width)
    return width, height


def pixels(content: bytes) -> np.ndarray:
    """A picture as it is shown, uint8 RGB `[H, W, 3]`: upright, transparent parts over black.

    Raises UnreadableError.
    """
    with decoding():
        picture = _opened(content)
        picture.load()  # errors in the pixels are raised here, once
        return _orientation(picture).apply(_rgb(picture))


def _opened(content: bytes) -> Image.Image:
    try:
        picture = Image.open(io.BytesIO(content), formats=FORMATS)
    except Image.UnidentifiedImageError:
        raise UnreadableError("not a picture") from None
    except Image.DecompressionBombError:
        raise UnreadableError(_too_large()) from None
    if picture.width * picture.height > MOST_PIXELS:
        raise UnreadableError(_too_large(f"{picture.width}×{picture.height} pixels: "))
    return picture


def _too_large(size: str = "") -> str:
    return f"{size}more than {MOST_PIXELS // 10**6} million pixels"


def _orientation(picture: Image.Image) -> Orientation:
    if picture.format == "TIFF":  # Pillow turns these itself
        return Orientation()
    with contextlib.suppress(Exception):  # what cameras write there is often broken; the picture is not
        return of_exif(picture.getexif().get(ORIENTATION))
    return Orientation()


def _rgb(picture: Image.Image) -> np.ndarray:
    if picture.mode == "F" or (picture.mode == "I" and picture.format != "PNG"):
        raise UnreadableError("pixels of 32 bits: save it with 8 or 16")
    if picture.mode.startswith("I"):  # Pillow would clip 16 bits to 8
        grey = np.clip(np.asarray(picture), 0, 65535).astype(np.uint32)
        grey = np.where(grey == picture.info.get("transparency", -1), 0, grey)
        return np.repeat(((grey + 128) // 257).astype(np.uint8)[:, :, None], 3, axis=2)
    if picture.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in picture.info:
        whole = np.array(picture.convert("RGBA")).astype(np.uint16)
        return ((whole[:, :, :3] * whole[:, :, 3:] + 127) // 255).astype(np.uint8)
    return np.array(picture.convert("RGB"))
