from __future__ import annotations

import pytest
import torch

from inrvid import build_discriminator, build_generator
from inrvid.registry import registry

from ..small import small, small_generator


@pytest.mark.parametrize("name", registry("generators").names())
def test_autocast_changes_no_generator(name):
    """Phases of waves, styles and sums of pictures need float32, whatever surrounds them."""
    G = build_generator(small_generator(name, "global"))
    latents, t = G.sample_latents(1), torch.tensor([0.0, 3.0])
    expected = G(latents, t)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(G(latents, t), expected)


@pytest.mark.parametrize("name", registry("discriminators").names())
def test_autocast_changes_no_discriminator(name):
    D = build_discriminator(small("discriminators", name))
    frames, t = torch.rand(2, D.frames, 3, 32, 32), torch.arange(float(D.frames)).expand(2, -1)
    expected = D(frames, t, torch.zeros(2, 0))
    with torch.autocast("cpu", torch.bfloat16):
        found = D(frames, t, torch.zeros(2, 0))
    assert all(torch.equal(found[head], expected[head]) for head in expected)
