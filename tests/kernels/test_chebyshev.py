from __future__ import annotations

import math

import pytest
import torch

from inrvid.kernels.chebyshev import interpolation, node_count


@pytest.mark.parametrize("bandwidth", [0.0, 0.01, 0.3, 1.0, 3.0, 7.7, 20.0, 45.0, 90.0])
def test_waves_are_interpolated_exactly(bandwidth):
    """Random sums of waves up to the bandwidth, relative to the sum of their amplitudes."""
    nodes, random = node_count(bandwidth, most=1000), torch.Generator().manual_seed(0)
    points = 2 * nodes + 1
    frequency = bandwidth * (2 * torch.rand(200, 1, generator=random, dtype=torch.float64) - 1)
    frequency[0] = bandwidth
    shift = 6.3 * torch.rand(200, 1, generator=random, dtype=torch.float64)

    def waves(position):  # u runs over [−1, 1]
        return torch.sin(frequency * (position * 2 / (points - 1) - 1) + shift)

    positions, matrix = interpolation(points, nodes, torch.float64)
    exact = waves(torch.arange(points, dtype=torch.float64))
    assert len(positions) == nodes
    assert (waves(positions) @ matrix.mT - exact).abs().max() < 1e-7
    assert (waves(positions).float() @ matrix.mT.float() - exact).abs().max() < 1e-6


def test_nodes_grow_with_the_bandwidth():
    counts = [node_count(b, most=4000) for b in (0, 0.1, 1, 5, 20, 100, 1e3)]
    assert counts == sorted(counts)
    assert counts[0] < counts[-1]
    assert all(n % 4 == 0 for n in counts)


@pytest.mark.parametrize("bandwidth", [20.0, 70.0, 1e9, 1e300, math.inf, math.nan])
def test_nodes_end_with_the_points(bandwidth):
    """Also for the frequencies of a model that went astray, at once."""
    assert node_count(bandwidth, most=30) == 30


def test_as_many_nodes_as_points_are_the_points():
    positions, matrix = interpolation(9, 12)
    assert torch.equal(positions, torch.arange(9.0))
    assert matrix is None


@pytest.mark.parametrize(("points", "nodes"), [(33, 8), (64, 12), (9, 1)])
def test_constants_stay(points, nodes):
    """Also where a point is a node (the middle of an odd grid, with an odd number of nodes)."""
    _, matrix = interpolation(points, nodes, torch.float64)
    torch.testing.assert_close(matrix.sum(dim=1), torch.ones(points, dtype=torch.float64))
