from __future__ import annotations

import torch

from inrvid.random import Draws
from inrvid.registry import registry

CLIP = 16


def sampler():
    return registry("time_samplers").build({"type": "beta_pair", "clip_length": CLIP})


def draws(count=20_000):
    return Draws.of_batch(0, "times", 0, range(count))


def test_distribution_is_that_of_the_two_betas():
    """Of sorted t1 ~ Beta(2, 1) and t2 ~ Beta(1, 2): E[t1 + t2] = 1, and P(both < x) = x²·(1 − (1 − x)²)."""
    t = sampler().generated(draws(), torch.full((20_000,), 50)) / (CLIP - 1)
    assert abs(t.sum(dim=1).mean() - 1) < 0.01
    for x in (0.25, 0.5, 0.75):
        assert abs((t[:, 1] < x).float().mean() - x**2 * (1 - (1 - x) ** 2)) < 0.01
        # neither is below x: (1 − x²)·(1 − x)²
        assert abs((t[:, 0] >= x).float().mean() - (1 - x**2) * (1 - x) ** 2) < 0.01


def test_real_clips_start_anywhere_and_stay_inside():
    lengths = torch.full((20_000,), 20)
    frames, t = sampler().real(draws(), lengths)
    start = frames[:, 0] - t[:, 0].long()
    assert set(start.tolist()) == {0, 1, 2, 3, 4}
    counts = torch.bincount(start)
    assert (counts - 4000).abs().max() < 250
    assert t.min() == 0
    assert t.max() == CLIP - 1
    short, _ = sampler().real(draws(100), torch.full((100,), CLIP))
    assert short.min() >= 0
    assert short.max() < CLIP
