"""Display matrices and angles."""

from __future__ import annotations

import numpy as np
import pytest

from inrvid.data.orientation import Orientation, of_angle, of_display_matrix

PICTURE = np.arange(2 * 3 * 3).reshape(2, 3, 3)
ONE = 0x10000


@pytest.mark.parametrize(
    ("corners", "expected"),
    [
        ((1, 0, 0, 1), PICTURE),
        ((-1, 0, 0, 1), PICTURE[:, ::-1]),
        ((1, 0, 0, -1), PICTURE[::-1]),
        ((-1, 0, 0, -1), PICTURE[::-1, ::-1]),
        ((0, 1, -1, 0), np.rot90(PICTURE, -1)),  # clockwise: what phones write
        ((0, -1, 1, 0), np.rot90(PICTURE)),
        ((0, 1, 1, 0), PICTURE.swapaxes(0, 1)),
        ((0, -1, -1, 0), PICTURE.swapaxes(0, 1)[::-1, ::-1]),
        ((0, 0, 0, 0), PICTURE),
    ],
)
def test_display_matrix(corners, expected):
    a, b, c, d = (value * ONE for value in corners)
    orientation = of_display_matrix([a, b, 0, c, d, 0, 0, 0, 0x40000000])
    assert np.array_equal(orientation.apply(PICTURE), expected)
    assert orientation.size(2, 3) == expected.shape[:2]


@pytest.mark.parametrize("angle", [-180, -90, 0, 90, 180, 100])
def test_angle(angle):
    assert np.array_equal(of_angle(angle).apply(PICTURE), np.rot90(PICTURE, round(angle / 90)))


def test_nothing_to_do_copies_nothing():
    assert Orientation().apply(PICTURE) is PICTURE
