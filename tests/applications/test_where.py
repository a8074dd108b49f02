from __future__ import annotations

import pytest
import torch

from inrvid import Grid, InrvidError, build_generator
from inrvid.applications.where import Where

from ..small import small_generator

G = build_generator(small_generator("inr_gan", "global"), seed=0).eval()  # 32×32, of multiples of 2


@pytest.mark.parametrize(
    ("asked", "grid"),
    [
        ({}, Grid(32, 32)),
        ({"size": "48x64"}, Grid(48, 64)),
        ({"zoom_out": 1.5}, Grid(48, 48, (-0.25, -0.25, 1.25, 1.25))),
        ({"zoom_out": 1.4}, Grid(44, 44, (-0.2, -0.2, 1.2, 1.2))),  # 44.8, of which 44 is the nearest even side
        ({"zoom_out": 0.5, "size": "32"}, Grid(32, 32, (0.25, 0.25, 0.75, 0.75))),
        ({"region": "0,0,2,0.5"}, Grid(16, 64, (0, 0, 2, 0.5))),
        ({"region": "-.5, 0, +1., 1", "size": "8"}, Grid(8, 8, (-0.5, 0, 1, 1))),
    ],
)
def test_grids(asked, grid):
    found = Where.of(**asked).grid_of(G)
    assert found[:2] == grid[:2]
    assert found.region == pytest.approx(grid.region)


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"size": "33"}, "size 33x33: .*multiples of 2; the nearest is 32x32"),
        ({"size": "0x8"}, "--size 0x8: expected a side"),
        ({"region": "0,0,1"}, "--region 0,0,1: expected x0,y0,x1,y1"),
        ({"region": "0,0,1,1,1"}, "expected x0,y0,x1,y1"),
        ({"region": "0,0,nan,1"}, "expected x0,y0,x1,y1"),
        ({"region": "1,0,0,1"}, "x0,y0 is the upper left corner"),
        ({"region": "0,0,1000,1"}, "32000x32 points at the model's density: give a --size"),
        ({"region": "0,0,1,1", "zoom_out": 2.0}, "--region and --zoom-out: give one of them"),
    ],
)
def test_refusals(asked, told):
    with pytest.raises(InrvidError, match=told):
        Where.of(**asked).grid_of(G)


def test_a_wider_region_has_the_frame_in_its_middle():
    inr = G.inr(G.sample_latents(1))
    wide = inr(0.0, Where.of(zoom_out=1.5).grid_of(G))[0, 0]
    torch.testing.assert_close(wide[:, 8:40, 8:40], inr(0.0)[0, 0], rtol=0, atol=1e-4)


def test_a_model_of_one_grid_says_why():
    fixed = build_generator(small_generator("stylegan2", "global"))
    assert Where.of().grid_of(fixed) == Grid(32, 32)
    for asked in ({"size": "64"}, {"zoom_out": 1.5}):
        with pytest.raises(InrvidError, match="stylegan2 draws only the whole frame, at 32x32"):
            Where.of(**asked).grid_of(fixed)


def test_regions_of_any_kind_are_the_same_function():
    """A point of the plane has its colour, whatever the grid that it is on."""
    inr = G.inr(G.sample_latents(1))
    one, other = (Where.of(region=r, size="16").grid_of(G) for r in ("0,0,0.5,0.5", "0.25,0.25,0.75,0.75"))
    drawn, shifted = inr(2.0, one)[0, 0, :, 8:, 8:], inr(2.0, other)[0, 0, :, :8, :8]
    torch.testing.assert_close(drawn, shifted, rtol=0, atol=1e-4)
