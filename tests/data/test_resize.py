"""Resizing is Pillow's antialiased bicubic, on the part that the rule keeps."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from inrvid.data.resize import RULES, resize, sides

SHAPES = [((90, 120), (32, 32)), ((60, 40), (32, 64)), ((20, 30), (64, 64))]
"""(source, target), height and width."""

CROPS = [
    ((60, 100), (32, 32), (60, 60)),
    ((100, 60), (32, 32), (60, 60)),
    ((90, 90), (32, 64), (45, 90)),
    ((60, 200), (32, 64), (60, 120)),
    ((48, 64), (24, 32), (48, 64)),
]
"""(source, target, what is kept of the source)."""


def noise(height: int, width: int, count: int = 1) -> np.ndarray:
    """Of little contrast, so that the filter's overshoots stay within 0 … 255."""
    return np.random.default_rng(0).integers(100, 156, (count, height, width, 3), dtype=np.uint8)


@pytest.mark.parametrize(("source", "size"), SHAPES)
def test_squash_is_pillows_bicubic(source, size):
    pictures = noise(*source)
    expected = Image.fromarray(pictures[0]).resize(size[::-1], Image.Resampling.BICUBIC)
    assert np.abs(resize(pictures, size, "squash")[0].astype(int) - np.asarray(expected)).max() <= 1


@pytest.mark.parametrize(("source", "size", "kept"), CROPS)
def test_center_crop_keeps_the_largest_middle_part(source, size, kept):
    pictures = noise(*source)
    top, left = (source[0] - kept[0]) // 2, (source[1] - kept[1]) // 2
    middle = pictures[:, top : top + kept[0], left : left + kept[1]]
    assert np.array_equal(resize(pictures, size, "center_crop"), resize(middle, size, "squash"))


def test_checkerboards_become_grey():
    board = np.indices((128, 128)).sum(0)[None, :, :, None] % 2 * 255
    small = resize(np.repeat(board, 3, 3).astype(np.uint8), (16, 16), "squash")
    assert small.min() > 110
    assert small.max() < 145


@pytest.mark.parametrize("rule", RULES)
def test_each_picture_by_itself(rule):
    pictures = noise(50, 70, count=5)
    together = resize(pictures, (24, 32), rule)
    assert together.shape == (5, 24, 32, 3)
    assert together.dtype == np.uint8
    for number in range(5):
        assert np.array_equal(resize(pictures[number : number + 1], (24, 32), rule)[0], together[number])


@pytest.mark.parametrize("rule", RULES)
def test_the_right_size_is_left_alone(rule):
    pictures = noise(16, 24)
    assert np.array_equal(resize(pictures, (16, 24), rule), pictures)


def test_sides():
    assert sides(64) == (64, 64)
    assert sides((32, 64)) == (32, 64)


def test_bilinear_is_not_antialiased():
    """DIGAN's release: at half the size the middle two by two of each four by four pixels decide."""
    pictures = noise(64, 64)
    middle = pictures.astype(float).reshape(1, 16, 4, 16, 4, 3)[:, :, 1:3, :, 1:3].mean(axis=(2, 4))
    assert np.abs(resize(pictures, (16, 16), "squash", "bilinear") - middle).max() <= 1
