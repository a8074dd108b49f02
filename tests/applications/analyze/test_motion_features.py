"""Motion codes: those that the backbone gets, and their principal components."""

from __future__ import annotations

import pytest
import torch

from inrvid.applications.analyze.finding import NotPossible
from inrvid.applications.analyze.motion_features import head_codes, motion_pca, principal

from ..making import model

T = torch.arange(20.0)  # more than are evaluated at a time


@torch.no_grad()
def test_codes_are_what_heads_give():
    G = model("stylegan2", "conv1d")
    latents = G.sample_latents(2, seed=3)
    codes = head_codes(G, latents, T)
    assert list(codes) == ["head"]
    expected = G.head(G.motion(latents.motion, latents.label, T.expand(2, -1)), G.styles(latents)[:, 0])
    torch.testing.assert_close(codes["head"], expected)


def test_there_is_one_for_each_place():
    G = model("inr_gan", "global")
    codes = head_codes(G, G.sample_latents(2), T)
    assert list(codes) == ["blocks.4.embedding.motion", "blocks.32.embedding.motion"]
    assert {x.shape for x in codes.values()} == {(2, 20, 6)}
    assert not any(module._forward_hooks for module in G.modules())
    finding = motion_pca(G, G.sample_latents(2), T)
    assert len(finding.charts) == 4
    assert sum(finding.numbers["blocks.4.embedding.motion"]["variance"]) == pytest.approx(1, abs=1e-4)


def test_components_hold_the_variance_in_order():
    basis = torch.linalg.qr(torch.randn(5, 5, generator=torch.Generator().manual_seed(0))).Q
    sizes = torch.tensor([3.0, 2.0, 1.0, 0.0, 0.0])
    codes = (torch.randn(4, 50, 5, generator=torch.Generator().manual_seed(1)) * sizes) @ basis + 7
    projected, parts = principal(codes)
    assert parts[0] > parts[1] > parts[2] > parts[3] + 0.01
    assert sum(parts[:3]) == pytest.approx(1)
    torch.testing.assert_close(
        projected.flatten(0, 1).var(0) / projected.flatten(0, 1).var(0).sum(), torch.tensor(parts).double()
    )
    distances = torch.cdist(codes[0], codes[1])
    torch.testing.assert_close(torch.cdist(projected[0], projected[1]).float(), distances, rtol=1e-3, atol=1e-3)


def test_without_motion_there_are_none():
    G = model("inr_gan", "static")
    with pytest.raises(NotPossible, match="gives no codes"):
        motion_pca(G, G.sample_latents(2), T)
