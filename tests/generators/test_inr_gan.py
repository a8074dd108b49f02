"""Coordinates: what a video is on other grids."""

from __future__ import annotations

import functools

import pytest
import torch
from torch.utils.checkpoint import checkpoint

from inrvid import Grid, InrvidError, build_generator
from inrvid.coords.fourier import FourierCoords
from inrvid.generators import pieces
from inrvid.generators.inr_gan import MovingEmbedding

from ..small import small_generator


@pytest.fixture(scope="module")
def inr():
    with torch.no_grad():
        G = build_generator(small_generator("inr_gan", "global"), seed=4).eval()
        return G.inr(G.sample_latents(2))


T = torch.tensor([0.0, 3.5])


@torch.no_grad()
def test_finer_grid_is_the_same_picture(inr):
    """The points of the coarse grid are among those of the fine one (but for which of a doubled cell they fall in)."""
    coarse, fine = inr(T), inr(T, Grid(96, 96))
    assert fine.shape == (2, 2, 3, 96, 96)
    # A cell of the coarse input grid (2 pixels) is 3 cells of the fine one; its first column and last row agree.
    torch.testing.assert_close(fine[..., 5::6, 0::6], coarse[..., 1::2, 0::2], rtol=1e-3, atol=1e-3)


@torch.no_grad()
def test_region_beyond_the_frame_holds_the_frame(inr):
    wide = inr(T, Grid(48, 48, (-0.25, -0.25, 1.25, 1.25)))
    torch.testing.assert_close(wide[..., 8:40, 8:40], inr(T), rtol=1e-3, atol=1e-3)


@torch.no_grad()
def test_non_square(inr):
    half = inr(T, Grid(32, 16, (0.0, 0.0, 0.5, 1.0)))
    torch.testing.assert_close(half, inr(T)[..., :16], rtol=1e-3, atol=1e-3)


def test_gradients_of_a_checkpointed_call_are_those_of_it():
    """`torch.utils.checkpoint` lets an operation ask for what it saved once."""
    G = build_generator(small_generator("inr_gan", "global"), seed=4).eval()
    latents, found = G.sample_latents(2), []
    for run in (G, functools.partial(checkpoint, G, use_reentrant=False)):
        G.zero_grad()
        run(latents, T).square().mean().backward()
        found.append([p.grad for p in G.parameters() if p.grad is not None])
    assert len(found[0]) > 10
    assert all(map(torch.equal, *found))


def test_sizes_that_cannot_be_doubled_are_refused(inr):
    with pytest.raises(InrvidError, match="multiples of 2"):
        inr(T, Grid(33, 32))


@torch.no_grad()
def test_matrices_are_made_once_a_video():
    """Evaluating frames calls none of the layers that map styles to matrices or frequencies."""
    G = build_generator(small_generator("inr_gan", "global")).eval()
    inr = G.inr(G.sample_latents(1))
    called = []
    for name, module in G.named_modules():
        if name.endswith("affine") and "motion" not in name:
            module.register_forward_hook(lambda *_, name=name: called.append(name))
    inr(T)
    assert called == []


def test_frames_read_matrices_as_they_are_laid_out_for_inference():
    """Once a video where no gradient is recorded; of φ that was made for gradients, when frames are drawn."""
    G = build_generator(small_generator("inr_gan", "global"), seed=4).eval()
    block = G.blocks["8"]  # without coordinates
    for gradients in (False, True):
        with torch.set_grad_enabled(gradients):
            phi = block.modulate(torch.randn(1, 3, 12))
        with torch.no_grad():
            weights = block.prepared(phi, None, None).weights
        assert all(weight.mT.is_contiguous() for weight in weights)
        assert (weights[0].data_ptr() == phi["layers.0"].data_ptr()) != gradients


class Mirrored(FourierCoords):
    """An encoding that changes the phases of another, and is not asked whether they are affine."""

    def phase(self, predicted, grid):
        return super().phase(predicted, grid).neg()


class NotMirrored(Mirrored):
    def phase(self, predicted, grid):
        return super().phase(predicted, grid).neg()


@pytest.mark.parametrize("points", [1, 1 << 14])
def test_phases_that_a_subclass_overrides_are_the_ones_drawn(points, monkeypatch):
    G = build_generator(small_generator("inr_gan", "global"), seed=4).eval()
    latents = G.sample_latents(2)
    expected = G(latents, T).detach()
    monkeypatch.setitem(pieces.POINTS, "cpu", points)
    for kind, same in ((Mirrored, False), (NotMirrored, True)):
        for module in G.modules():
            if isinstance(module, MovingEmbedding):
                module.coords.__class__ = kind
        with torch.no_grad():
            assert torch.allclose(G(latents, T), expected, rtol=1e-3, atol=1e-4) == same
