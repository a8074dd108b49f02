"""The variants that the component suite's defaults do not reach."""

from __future__ import annotations

import pytest
import torch

from inrvid import Grid, InrvidError, build_generator
from inrvid.generators.stylegan2 import StyleBlock, doubled
from inrvid.layers.conv import EqConv2d

from ..small import small_generator

VARIANTS = [
    {"architecture": "resnet"},
    {"motion_input": "styles"},
    {"architecture": "resnet", "motion_input": "styles", "half_blocks": 2, "half_dtype": "bfloat16"},
]


@pytest.mark.parametrize("variant", VARIANTS, ids=str)
@pytest.mark.parametrize("motion", ["global", "conv1d", "static"])
def test_variants(variant, motion):
    G = build_generator(small_generator("stylegan2", motion, motion_width=6, **variant))
    latents, t = G.sample_latents(2), torch.tensor([[0.0, 3.0, 9.0]] * 2)
    frames = G(latents, t)
    assert frames.shape == (2, 3, 3, 32, 32)
    frames.square().sum().backward()
    assert [name for name, p in G.named_parameters() if p.grad is None or not p.grad.any()] == []
    G.eval()
    tolerance = 0.1 if variant.get("half_blocks") else 1e-4
    with torch.no_grad():
        inr = G.inr(latents)
        together = inr(t)
        torch.testing.assert_close(inr[1](t[1:, 2:]), together[1:, 2:], rtol=tolerance, atol=tolerance)
        torch.testing.assert_close(together, frames, rtol=tolerance, atol=tolerance)


def test_weights_are_modulated_once_a_video():
    """φ holds ready weights: evaluating a frame calls no affine layer."""
    G = build_generator(small_generator("stylegan2", "conv1d", motion_width=6)).eval()
    with torch.no_grad():
        inr = G.inr(G.sample_latents(1))
        called = []
        for name, module in G.named_modules():
            if name.endswith("affine"):
                module.register_forward_hook(lambda *_, name=name: called.append(name))
        inr(torch.tensor([0.0, 1.0]))
    assert called == []


def test_other_grids_are_refused():
    G = build_generator(small_generator("stylegan2", "global"))
    inr = G.inr(G.sample_latents(1))
    for grid in (Grid(64, 64), Grid(32, 32, (0.0, 0.0, 0.5, 0.5))):
        with pytest.raises(InrvidError, match="inr_gan"):
            inr(torch.tensor([0.0]), grid)


@torch.no_grad()
def test_with_float16_each_resolutions_pictures_are_bounded():
    """Each resolution's own part is within ±256; their sum need not be. Without float16 there is no bound."""
    kinds = ({"half_blocks": 1}, {"half_blocks": 1, "half_dtype": "bfloat16"}, {})
    largest = []
    for half in kinds:
        G = build_generator(small_generator("stylegan2", "static", **half), seed=0).eval()
        for block in G.blocks.values():
            block.rgb.weight *= 1e5
        largest.append(G(G.sample_latents(1), torch.zeros(1)).abs().max())
    assert 256 < largest[0] <= 256 * len(G.blocks) * 1.6  # the low-pass overshoots
    assert min(largest[1:]) > 10 * largest[0]


@torch.no_grad()
def test_both_paths_of_a_residual_block_have_half_of_the_power():
    torch.manual_seed(0)
    block, plain = (StyleBlock(3, 5, 4, first=False, residual=r, rgb=False, half=False) for r in (True, False))
    plain.load_state_dict(block.state_dict(), strict=False)
    skip = EqConv2d(3, 5, 1, bias=False)
    skip.weight = block.skip.weight
    ws, x = torch.randn(1, 3, 4), torch.randn(1, 3, 4, 4)
    found, path = (one(one.modulate(ws), x, None)[0] for one in (block, plain))
    torch.testing.assert_close(found, (path + doubled(skip(x))) * 0.5**0.5)
