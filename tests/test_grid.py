from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from inrvid import Grid, InrvidError


def test_release_convention():
    """x_j = 2j/n − 1, y_i = 2(n − 1 − i)/n − 1: y upwards, the last point does not reach 1."""
    x, y = Grid(4, 4).axes()
    torch.testing.assert_close(x, torch.tensor([-1.0, -0.5, 0.0, 0.5]))
    torch.testing.assert_close(y, torch.tensor([0.5, 0.0, -0.5, -1.0]))


def test_zooming_out_keeps_the_points_of_the_frame():
    """At the same distance of points, a larger region holds the frame's points in its middle."""
    x, y = Grid(8, 8).axes()
    wide_x, wide_y = Grid(12, 12, (-0.25, -0.25, 1.25, 1.25)).axes()
    torch.testing.assert_close(wide_x[2:10], x)
    torch.testing.assert_close(wide_y[2:10], y)


def test_finer_grid_holds_the_coarse_one():
    x, y = Grid(4, 4).axes()
    fine_x, fine_y = Grid(12, 12).axes()
    torch.testing.assert_close(fine_x[::3], x)
    torch.testing.assert_close(fine_y[2::3], y)


def test_what_stands_for_a_grid():
    assert Grid.of(8) == Grid.of((8, 8)) == Grid(8, 8)
    region = (0.0, 0.0, 0.5, 1.0)
    assert Grid.of((4, 8, region)) == Grid(4, 8, region)
    assert Grid.of((4, 8, [0, 0, 0.5, 1])) == Grid.of((np.int64(4), 8, region)) == Grid(4, 8, region)
    for wrong in (0, (0, 4), (4, 4, (0, 1)), "8x8", None, (16.0, 16), "16", (4, 4, (0, 0, math.nan, 1))):
        with pytest.raises(InrvidError, match="expected Grid"):
            Grid.of(wrong)


def test_indivisible_size_says_the_nearest():
    with pytest.raises(InrvidError, match="multiples of 4; the nearest is 100x128"):
        Grid(101, 128).coarser(4)
