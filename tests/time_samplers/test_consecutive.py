from __future__ import annotations

import pytest
import torch

from inrvid.errors import ConfigError
from inrvid.random import Draws
from inrvid.registry import registry

COUNT = 5000


def sampler(**keys):
    return registry("time_samplers").build({"type": "consecutive", **keys})


def draws():
    return Draws.of_batch(0, "times", 0, range(COUNT))


def test_real_frames_are_neighbours_that_start_anywhere():
    numbers, t = sampler(frames=4).real(draws(), torch.full((COUNT,), 9))
    assert torch.equal(numbers - numbers[:, :1], torch.arange(4).expand(COUNT, 4))
    starts, counts = numbers[:, 0].unique(return_counts=True)
    assert starts.tolist() == list(range(6))
    assert (counts / COUNT - 1 / 6).abs().max() < 0.02
    assert torch.equal(t, numbers.float())


def test_generated_times_are_neighbours_in_videos_of_the_given_lengths():
    lengths = torch.tensor([10, 3000]).repeat(COUNT // 2)
    t = sampler(frames=4, max_frames=100).generated(draws(), lengths)
    torch.testing.assert_close(t - t[:, :1], torch.arange(4.0).expand(COUNT, 4), atol=1e-4, rtol=0)
    first = t[:, 0].view(-1, 2)
    assert first.min() >= 0
    assert (first.amax(dim=0) <= torch.tensor([6.0, 96.0])).all()
    assert (first.amax(dim=0) > torch.tensor([5.9, 95.0])).all()
    assert (first != first.floor()).float().mean() > 0.99


def test_more_frames_than_the_longest_video():
    with pytest.raises(ConfigError, match="max_frames 8 is too small for 16 frames"):
        sampler(frames=16, max_frames=8)
