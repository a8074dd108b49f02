"""Videos evaluated piece by piece are the videos."""

from __future__ import annotations

import contextlib

import pytest
import torch

from inrvid import Grid, build_generator
from inrvid.generators import pieces

from ..small import small_generator

CPU = torch.device("cpu")


@pytest.mark.parametrize("points", [1, 100, 1 << 8, 1 << 11, 1 << 20])
@pytest.mark.parametrize(("kind", "motion"), [("inr_gan", "global"), ("inr_gan", "static"), ("stylegan2", "conv1d")])
def test_pieces_make_the_same_frames(kind, motion, points, monkeypatch):
    G = build_generator(small_generator(kind, motion), seed=2).eval()
    latents, t = G.sample_latents(3), torch.arange(5) * 1.5
    whole = G(latents, t).detach()  # with gradients recorded: all at once
    monkeypatch.setitem(pieces.POINTS, "cpu", points)
    with torch.no_grad():
        torch.testing.assert_close(G(latents, t), whole, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("motion_input", ["constant", "styles"])
def test_pieces_of_frames_with_styles_of_their_own(motion_input, monkeypatch):
    config = {**small_generator("stylegan2", "global"), "motion_input": motion_input}
    G = build_generator(config, seed=2).eval()
    latents, t = G.sample_latents(2), torch.arange(3.0)
    whole = G(latents, t).detach()
    monkeypatch.setitem(pieces.POINTS, "cpu", 300)
    with torch.no_grad():
        torch.testing.assert_close(G(latents, t), whole, rtol=1e-4, atol=1e-5)


@torch.no_grad()
def test_pieces_of_a_grid_with_a_region(monkeypatch):
    G = build_generator(small_generator("inr_gan", "global"), seed=2).eval()
    inr, grid = G.inr(G.sample_latents(2)), Grid(48, 32, (-0.25, 0.1, 1.0, 1.25))
    whole = inr(1.0, grid)
    monkeypatch.setitem(pieces.POINTS, "cpu", 200)
    torch.testing.assert_close(inr(1.0, grid), whole, rtol=1e-4, atol=1e-5)


@torch.no_grad()
@pytest.mark.parametrize(("videos", "frames", "points"), [(1, 1, 7), (3, 5, 64), (2, 16, 5000)])
@pytest.mark.parametrize("budget", [1, 63, 64, 1000, 1 << 20])
def test_pieces_cover_everything_once_within_the_budget(videos, frames, points, budget, monkeypatch):
    monkeypatch.setitem(pieces.POINTS, "cpu", budget)
    count = torch.zeros(videos, frames, dtype=torch.long)
    for piece in pieces.pieces_of(videos, frames, points, CPU):
        part = count[piece]
        part += 1
        assert part.numel() == 1 or part.numel() * points <= budget
    assert (count == 1).all()


@torch.no_grad()
@pytest.mark.parametrize(("rows", "points"), [(1, 9), (8, 64), (5, 5000)])
@pytest.mark.parametrize("budget", [1, 63, 64, 3000, 1 << 20])
def test_bands_cover_all_rows_within_the_budget(rows, points, budget, monkeypatch):
    monkeypatch.setitem(pieces.POINTS, "cpu", budget)
    bands = pieces.bands_of(rows, points, CPU)
    assert [row for first, count in bands for row in range(first, first + count)] == list(range(rows))
    assert all(count == 1 or count * points <= budget * rows for _, count in bands)


@torch.no_grad()
@pytest.mark.parametrize(("videos", "frames"), [(1, 1), (3, 5), (4, 16)])
@pytest.mark.parametrize("budget", [1, 20, 70, 1 << 10])
def test_splits_are_in_order_and_within_the_budget(videos, frames, budget, monkeypatch):
    monkeypatch.setitem(pieces.POINTS, "cpu", budget)
    numbers = torch.arange(videos * frames)
    parts = pieces.splits(videos, frames, 4, CPU)
    assert torch.equal(torch.cat([numbers[part.samples] for part in parts]), numbers)
    for part in parts:
        samples = numbers[part.samples]
        assert len(samples) * 4 <= max(budget // 4, frames * 4 if videos > 1 else 4)
        assert torch.equal((samples // frames).unique(), torch.arange(videos)[part.videos])


@torch.no_grad()
def test_splits_on_other_devices(monkeypatch):
    """Half of their own budget each, whatever a CPU's."""
    monkeypatch.setitem(pieces.POINTS, "cpu", 1)
    monkeypatch.setattr(pieces, "POINTS_OF_OTHERS", 32)
    parts = pieces.splits(1, 16, 4, torch.device("meta"))
    assert [part.samples for part in parts] == [slice(i, i + 4) for i in range(0, 16, 4)]


def test_what_is_drawn_for_a_judge_is_drawn_at_once():
    """Elsewhere than on a CPU: it needs less memory than what has just been drawn with gradients."""
    meta = torch.device("meta")
    with torch.no_grad():
        for around, whole in ((pieces.for_discriminator, True), (contextlib.nullcontext, False)):
            with around():
                assert (len(pieces.pieces_of(64, 3, 1 << 16, meta)) == 1) == whole
                assert (len(pieces.splits(64, 3, 1 << 16, meta)) == 1) == whole
                assert (len(pieces.bands_of(1 << 10, 1 << 20, meta)) == 1) == whole
                assert len(pieces.splits(64, 3, 1 << 16, CPU)) > 1
