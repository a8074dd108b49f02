"""Pictures as they are shown: upright, 16 bits brought to 8, what is transparent over black, bounded sizes."""

from __future__ import annotations

import io
import subprocess
import sys
import warnings

import numpy as np
import pytest
from PIL import Image, ImageOps

from inrvid.data import picture
from inrvid.data.damage import UnreadableError

BROKEN_EXIF = b"Exif\0\0II*\0\xff\xff\xff\x7f"


def content(image: Image.Image, kind: str = "png", **options) -> bytes:
    image.save(buffer := io.BytesIO(), kind, **options)
    return buffer.getvalue()


def marked() -> Image.Image:
    pixels = np.zeros((16, 24, 3), np.uint8)
    pixels[:8, :8] = [200, 30, 30]
    pixels[8:, 16:] = [30, 30, 200]
    return Image.fromarray(pixels)


@pytest.mark.parametrize("kind", ["jpeg", "png", "webp", "tiff"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation(kind, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = content(marked(), kind, exif=exif)
    expected = np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGB"))
    assert np.array_equal(picture.pixels(data), expected)
    assert picture.size(data) == expected.shape[1::-1]


def test_exif_after_a_pngs_pixels():
    exif = Image.Exif()
    exif[0x0112] = 6
    with_exif, without = content(marked(), exif=exif), content(marked())
    at = with_exif.index(b"eXIf") - 4
    chunk = with_exif[at : at + 12 + int.from_bytes(with_exif[at : at + 4], "big")]
    data = without[:-12] + chunk + without[-12:]
    assert picture.size(data) == (16, 24)
    assert np.array_equal(picture.pixels(data), picture.pixels(with_exif))


def test_broken_exif_costs_nothing():
    data = content(marked(), "jpeg", exif=BROKEN_EXIF)
    assert picture.pixels(data).shape == (16, 24, 3)


def test_broken_pixels_are_told_though_exif_is_looked_at_first():
    data = bytearray(content(Image.fromarray(np.random.default_rng(0).integers(0, 255, (32, 32, 3), dtype=np.uint8))))
    data[60:200] = bytes(140)
    with pytest.raises(UnreadableError):
        picture.pixels(bytes(data))


@pytest.mark.parametrize("kind", ["png", "tiff"])
def test_16_bits_of_grey(kind):
    values = np.linspace(0, 65535, 256).round().astype(np.uint16).reshape(16, 16)
    got = picture.pixels(content(Image.fromarray(values), kind))
    assert np.array_equal(got[:, :, 0], np.arange(256).reshape(16, 16))
    assert np.array_equal(got[:, :, 0], got[:, :, 2])
    assert picture.pixels(content(Image.fromarray(np.full((2, 2), 200, np.uint16)), kind)).max() == 1  # 0.78


def test_transparency_is_over_black():
    assert picture.pixels(content(Image.new("RGBA", (4, 4), (200, 100, 50, 128))))[0, 0].tolist() == [100, 50, 25]
    assert picture.pixels(content(Image.new("LA", (4, 4), (200, 0))))[0, 0].tolist() == [0, 0, 0]
    assert picture.pixels(content(Image.new("RGBA", (4, 4), (5, 6, 7, 255))))[0, 0].tolist() == [5, 6, 7]
    palette = Image.new("P", (4, 4), 1)
    palette.putpalette([0, 0, 0, 250, 250, 250])
    assert picture.pixels(content(palette, transparency=1))[0, 0].tolist() == [0, 0, 0]
    assert picture.pixels(content(palette))[0, 0].tolist() == [250, 250, 250]


@pytest.mark.parametrize("size", [(10_001, 10_000), (16_000, 12_000)], ids=["below Pillow's limit", "beyond it"])
def test_too_many_pixels(size):
    data = content(Image.new("1", size))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for look in (picture.size, picture.pixels):
            with pytest.raises(UnreadableError, match="more than 100 million pixels"):
                look(data)


def test_pillow_prints_no_warnings(tmp_path):
    """In a process of its own: pytest shows all warnings."""
    (tmp_path / "large.png").write_bytes(content(Image.new("1", (9_600, 9_600))))
    (tmp_path / "exif.jpg").write_bytes(content(marked(), "jpeg", exif=BROKEN_EXIF))
    code = "import sys, pathlib; from inrvid.data import picture; "
    code += "print([picture.size(pathlib.Path(name).read_bytes()) for name in sys.argv[1:]])"
    files = [str(tmp_path / name) for name in ("large.png", "exif.jpg")]
    done = subprocess.run([sys.executable, "-c", code, *files], capture_output=True, text=True, check=True)
    assert done.stdout == "[(9600, 9600), (24, 16)]\n"
    assert done.stderr == ""


def test_no_picture():
    for data in (b"", b"text"):
        with pytest.raises(UnreadableError, match="not a picture"):
            picture.pixels(data)
    with pytest.raises(UnreadableError):
        picture.size(content(marked())[:20])
