"""Every encoding is a function of the plane: what a grid shows of it does not depend on the grid."""

from __future__ import annotations

import math

import pytest
import torch

from inrvid.coords.acyclic import AcyclicEncoding, Codes, periods
from inrvid.grid import Grid
from inrvid.registry import registry

SIZE, DIM, W_DIM = 8, 6, 5
ENCODINGS = registry("coords").names()


def phases(name, grid):
    torch.manual_seed(0)
    coords = registry("coords").build({"type": name}, dim=DIM, w_dim=W_DIM, size=SIZE)
    return coords, coords.phase(coords.predict(torch.randn(2, W_DIM)), grid).detach()


@pytest.mark.parametrize("name", ENCODINGS)
def test_a_region_shows_what_the_whole_shows_there(name):
    """The middle quarter of a grid, and that quarter as a region with as many points."""
    _, whole = phases(name, Grid(SIZE, SIZE))
    _, part = phases(name, Grid(SIZE // 2, SIZE // 2, (0.25, 0.25, 0.75, 0.75)))
    torch.testing.assert_close(part, whole[:, 2:6, 2:6], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", ENCODINGS)
def test_points_differ_and_videos_where_the_style_decides(name):
    coords, found = phases(name, Grid(SIZE, SIZE))
    assert found.shape[1:] == (SIZE, SIZE, DIM)
    assert found.diff(dim=1).abs().max() > 1e-2
    assert found.diff(dim=2).abs().max() > 1e-2
    predicted = coords.predict(torch.randn(2, W_DIM))
    assert (len(found) == 2) == bool(predicted)


def test_log_frequencies_go_from_a_period_a_frame_to_nyquist():
    coords, _ = phases("log", Grid(SIZE, SIZE))
    along = coords.frequencies.abs().amax(dim=1)
    assert along.min().item() == pytest.approx(math.pi)
    assert along.max().item() == pytest.approx(math.pi * SIZE / 2)
    assert not coords.frequencies[0::2, 1].any()
    assert not coords.frequencies[1::2, 0].any()


def test_periods_of_release_and_paper():
    assert periods(5, 16, 256, "log").tolist() == pytest.approx([256, 128, 64, 32, 16])
    assert periods(4, 16, 256, "linear").tolist() == pytest.approx([16, 76, 136, 196])


def test_the_wave_vanishes_at_the_codes_and_is_continuous():
    torch.manual_seed(0)
    encoding = AcyclicEncoding(W_DIM, 4, min_period=8, max_period=64).double()
    codes = torch.randn(1, 3, W_DIM, dtype=torch.float64)

    def at(t, i):
        time = torch.tensor([[t]], dtype=torch.float64)
        return encoding(Codes(time, torch.full_like(time, 8.0 * i), 8.0, codes[:, None, i : i + 2]))[0, 0]

    torch.testing.assert_close(at(0.0, 0), encoding.aligner(codes[0, 0]))
    torch.testing.assert_close(at(8.0, 0), at(8.0, 1))
    between = at(4.0, 0) - (encoding.aligner(codes[0, 0]) + encoding.aligner(codes[0, 1])) / 2
    assert between.abs().max() > 1e-2


def built(name, dim=DIM, **keys):
    torch.manual_seed(0)
    return registry("coords").build({"type": name, **keys}, dim=dim, w_dim=W_DIM, size=SIZE)


def test_the_largest_log_frequency_may_be_given():
    assert built("log", max_frequency=7.0).frequencies.max().item() == pytest.approx(7)


@pytest.mark.parametrize("name", ["random", "learned"])
def test_sigma_is_the_deviation_of_frequencies(name):
    assert built(name, dim=4000).frequencies.std().item() == pytest.approx(10, rel=0.05)
    assert built(name, dim=4000, sigma=3.0).frequencies.std().item() == pytest.approx(3, rel=0.05)


@torch.no_grad()
def test_a_table_is_interpolated_between_cells_and_its_border_continues():
    coords = built("constant")
    table = coords.table[0].permute(1, 2, 0)
    fine = coords.phase({}, Grid(2 * SIZE, 2 * SIZE))[0]
    torch.testing.assert_close(fine[1::2, 0::2], table, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(fine[1::2, 1:-1:2], (table[:, :-1] + table[:, 1:]) / 2, rtol=1e-4, atol=1e-4)
    wide = coords.phase({}, Grid(2 * SIZE, 2 * SIZE, (-0.5, -0.5, 1.5, 1.5)))[0]
    torch.testing.assert_close(wide[4:12, :4], table[:, :1].expand(-1, 4, -1), rtol=1e-4, atol=1e-4)
