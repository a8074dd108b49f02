"""Which times an explicit sequence of noises serves: what a motion says, and what it does."""

from __future__ import annotations

import math

import pytest
import torch

from inrvid import InrvidError
from inrvid.motion.noise import NoiseSequence
from inrvid.random import Draws
from inrvid.registry import registry

from ..small import small


@pytest.mark.parametrize("name", registry("motions").names())
def test_noises_serve_the_times_that_the_motion_says(name):
    motion = registry("motions").build(small("motions", name), z_dim=4, label_dim=0, clip_length=8).eval()
    noise = motion.sample_noise(Draws.of_seeds([0], "motion"))
    span = motion.span
    assert (span is not None) == isinstance(noise, NoiseSequence)
    if span is None:
        return
    explicit = torch.randn(1, span.kept + 2, 4)
    end = 2 * span.distance
    first = -1000.0 if math.isinf(span.start) else span.start
    for time in (first, end - 0.01):
        motion(explicit, torch.zeros(1, 0), torch.tensor([[time]]))
    for time in [end] + [span.start - 0.01] * math.isfinite(span.start):
        with pytest.raises(InrvidError, match="code index"):
            motion(explicit, torch.zeros(1, 0), torch.tensor([[time]]))
