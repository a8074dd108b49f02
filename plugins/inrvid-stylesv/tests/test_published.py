"""The models in the library's `hub/` whose motion is of this package."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from inrvid import VideoGenerator

HUB = Path(__file__).parents[3] / "hub"


@pytest.mark.skipif(not HUB.is_dir(), reason="not in a clone of the library")
@pytest.mark.parametrize("name", ["stylesv_landscapes_32", "projected_stylesv_hills_64", "projected_stylesv_hills_128"])
def test_it_moves_smoothly_past_its_codes(name):
    G = VideoGenerator.from_pretrained(HUB / name)
    t = torch.arange(14, 18.5, 0.25)
    with torch.no_grad():
        steps = G.inr(G.sample_latents(4, seed=0))(t).diff(dim=1).abs().mean((0, 2, 3, 4))
    assert steps.min() > 0
    assert steps.max() < 4 * steps.median()  # nothing leaps at t = 16, where a code is passed
