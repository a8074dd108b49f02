"""What ADA draws at 0 < p < 1: how often each operation happens, and how its variables spread.

From the matrices of 40,000 clips (StyleGAN2-ADA, NeurIPS 2020, appendix B).
"""

from __future__ import annotations

import math

import pytest
import torch

from inrvid.augment.ada import _COLOR, _GEOMETRY, RandomSource
from inrvid.random import Draws

COUNT, P = 40_000, 0.3
SIDE = 64
ROOT = 1 - math.sqrt(1 - P)
"""Of each of the two rotations: at least one of them happens with probability p."""


@pytest.fixture(scope="module")
def draws():
    return lambda: Draws.of_batch(0, "ada", 0, range(COUNT))


def inverse(name, draws):
    return _GEOMETRY[name](RandomSource(draws(), P))(SIDE, SIDE)


def color(name, draws):
    return _COLOR[name](RandomSource(draws(), P))


def happens(matrices):
    return (matrices != torch.eye(matrices.shape[1])).flatten(1).any(dim=1)


def near(actual, expected, tolerance=0.03):
    assert abs(float(actual) - expected) < tolerance * max(abs(expected), 0.25)


def test_flip(draws):
    matrices = inverse("xflip", draws)
    near((matrices[:, 0, 0] == -1).float().mean(), P / 2)
    assert torch.equal(matrices[:, 1, 1], torch.ones(COUNT))


def test_quarter_turns(draws):
    matrices = inverse("rotate90", draws)
    turns = (torch.atan2(matrices[:, 1, 0], matrices[:, 0, 0]) / (math.pi / 2)).round().long() % 4
    for turn in (1, 2, 3):
        near((turns == turn).float().mean(), P / 4)


def test_whole_pixels(draws):
    shift = inverse("xint", draws)[:, :2, 2]
    near((shift != 0).any(dim=1).float().mean(), P * (1 - 1 / 17**2), 0.05)
    assert torch.equal(shift, shift.round())
    moved = shift[(shift != 0).any(dim=1)]
    assert moved.abs().max() == 8  # an eighth of the side
    near(moved.std(dim=0).mean(), 16 / math.sqrt(12))
    near(torch.corrcoef(moved.T)[0, 1], 0, 0.1)


@pytest.mark.parametrize("name", ["scale", "aniso"])
def test_scales(draws, name):
    matrices = inverse(name, draws)
    changed = matrices[happens(matrices)]
    near(len(changed) / COUNT, P)
    x, y = changed[:, 0, 0].log2(), changed[:, 1, 1].log2()
    torch.testing.assert_close(x, y if name == "scale" else -y, rtol=0, atol=1e-5)
    near(x.std(), 0.2)
    near(x.mean(), 0)


def test_rotation(draws):
    matrices = inverse("rotate", draws)
    changed = matrices[happens(matrices)]
    near(len(changed) / COUNT, ROOT)
    angle = torch.atan2(changed[:, 1, 0], changed[:, 0, 0])
    near(angle.std(), 2 * math.pi / math.sqrt(12))
    near(angle.abs().max(), math.pi)


def test_fractions_of_pixels(draws):
    shift = inverse("xfrac", draws)[:, :2, 2]
    moved = shift[(shift != 0).any(dim=1)]
    near(len(moved) / COUNT, P)
    near((moved / SIDE).std(dim=0).mean(), 0.125)
    near(torch.corrcoef(moved.T)[0, 1], 0, 0.1)


def test_brightness(draws):
    matrices = color("brightness", draws)
    changed = matrices[happens(matrices)][:, 0, 3]
    near(len(changed) / COUNT, P)
    near(changed.std(), 0.2)


def test_contrast(draws):
    matrices = color("contrast", draws)
    changed = matrices[happens(matrices)][:, 0, 0].log2()
    near(len(changed) / COUNT, P)
    near(changed.std(), 0.5)


def grey(matrices):
    """What a grey of 1 becomes, and a colour without any grey: `[B, 3]` each."""
    one, opposed = torch.ones(3), torch.tensor([1.0, -1.0, 0.0])
    return matrices[:, :3, :3] @ one, matrices[:, :3, :3] @ opposed


def test_luma_flip(draws):
    matrices = color("lumaflip", draws)
    on, across = grey(matrices)
    near((on[:, 0] < 0).float().mean(), P / 2)
    torch.testing.assert_close(across, torch.tensor([1.0, -1.0, 0.0]).expand(COUNT, 3), rtol=0, atol=1e-5)


def test_hue(draws):
    matrices = color("hue", draws)
    on, across = grey(matrices)
    torch.testing.assert_close(on, torch.ones(COUNT, 3), rtol=0, atol=1e-5)
    cosine = across @ torch.tensor([1.0, -1.0, 0.0]) / 2
    near(((1 - cosine).abs() > 1e-6).float().mean(), P)
    turned = cosine[(1 - cosine).abs() > 1e-6]
    near(turned.mean(), 0, 0.1)  # uniform angles; the standard error is 0.0065
    near(turned.square().mean(), 0.5)


def test_saturation(draws):
    matrices = color("saturation", draws)
    on, across = grey(matrices)
    torch.testing.assert_close(on, torch.ones(COUNT, 3), rtol=0, atol=1e-5)
    factor = across[:, 0].log2()
    near((factor.abs() > 1e-4).float().mean(), P)
    near(factor[factor.abs() > 1e-4].std(), 1.0)


@pytest.mark.parametrize("name", [*_GEOMETRY, *_COLOR])
def test_each_clip_draws_for_itself(draws, name):
    """Neighbours in a batch are not alike, and a clip's draw does not depend on its batch."""
    make = (lambda d: _GEOMETRY[name](RandomSource(d, 1.0))(SIDE, SIDE)) if name in _GEOMETRY else (
        lambda d: _COLOR[name](RandomSource(d, 1.0))
    )  # fmt: skip
    some = make(Draws.of_batch(0, "ada", 0, range(64)))
    assert len({tuple(matrix.flatten().tolist()) for matrix in some}) > 1
    torch.testing.assert_close(make(Draws.of_batch(0, "ada", 0, [9])), some[9:10])
