from __future__ import annotations

import pytest
import torch

from inrvid.random import Draws
from inrvid.registry import registry

COUNT = 20_000


def sampler(**keys):
    return registry("time_samplers").build({"type": "random_distance", **keys})


def draws(count=COUNT):
    return Draws.of_batch(0, "times", 0, range(count))


def shares(values):
    unique, counts = values.unique(return_counts=True)
    return dict(zip(unique.tolist(), (counts / len(values)).tolist(), strict=True))


@pytest.mark.parametrize(
    ("variant", "k", "distances"),
    [
        ("release", 3, [2, 4, 8, 16, 32]),
        ("release", 2, [1, 2, 4, 8, 16, 32]),
        ("release", 4, [4, 8, 16, 32]),
        ("release", 16, [16, 32]),
        ("paper", 3, list(range(2, 33))),
    ],
)
def test_total_distances_are_uniform_among_the_admitted(variant, k, distances):
    numbers, _ = sampler(variant=variant, frames=k).real(draws(), torch.full((COUNT,), 500))
    found = shares(numbers[:, -1] - numbers[:, 0])
    assert sorted(found) == distances
    assert max(abs(share - 1 / len(distances)) for share in found.values()) < 0.015


def test_first_frame_is_uniform_and_the_last_inside():
    numbers, _ = sampler(variant="release", frames=2, max_distance=4).real(draws(), torch.full((COUNT,), 10))
    for distance in (1, 2, 4):
        of = numbers[numbers[:, 1] - numbers[:, 0] == distance, 0]
        found = shares(of)
        assert sorted(found) == list(range(10 - distance))
        assert max(abs(share - 1 / (10 - distance)) for share in found.values()) < 0.02


def test_inner_frames_are_different_and_uniform():
    numbers, _ = sampler(variant="paper", frames=4, max_distance=8).real(draws(), torch.full((COUNT,), 100))
    assert (numbers.diff(dim=1) > 0).all()
    offsets = numbers - numbers[:, :1]
    of_8 = offsets[offsets[:, -1] == 8, 1:3].flatten()
    found = shares(of_8)
    assert sorted(found) == list(range(1, 8))
    assert max(abs(share - 1 / 7) for share in found.values()) < 0.02


@pytest.mark.parametrize("variant", ["release", "paper"])
@pytest.mark.parametrize("k", [1, 2, 3, 4, 8, 16])
def test_videos_as_short_as_possible(variant, k):
    lengths = torch.arange(400) % 30 + k
    numbers, t = sampler(variant=variant, frames=k).real(draws(400), lengths)
    assert (numbers >= 0).all()
    assert (numbers < lengths[:, None]).all()
    assert (numbers.diff(dim=1) > 0).all()
    assert torch.equal(t, numbers.float())


def test_generated_times_are_real_valued_and_fill_the_video():
    t = sampler(frames=3, max_frames=1024).generated(draws(), torch.full((COUNT,), 5000))
    assert t.min() >= 0
    assert t.max() <= 1023
    assert t.max() > 1000
    first = t[:, 0]
    assert (first != first.floor()).float().mean() > 0.99
    torch.testing.assert_close(t - first[:, None], (t - first[:, None]).round(), atol=1e-3, rtol=0)
    assert abs(first.mean() - (1023 - 12.4) / 2) < 10


def test_generated_videos_are_as_long_as_the_training_videos_given():
    lengths = torch.tensor([20, 100, 5000]).repeat(COUNT // 3)
    t = sampler(frames=3, max_frames=1024).generated(draws(len(lengths)), lengths)
    latest = t[:, -1].view(-1, 3).amax(dim=0)
    assert (latest <= torch.tensor([19, 99, 1023])).all()
    assert (latest > torch.tensor([18.9, 98, 1000])).all()
    spans = (t[:, -1] - t[:, 0]).view(-1, 3)
    assert spans[:, 0].max().round() == 16  # 32 does not fit into 20 frames


def test_the_paper_s_generated_videos_are_all_of_one_length():
    t = sampler(variant="paper", frames=3, max_frames=1024).generated(draws(), torch.full((COUNT,), 20))
    assert t.max() > 1000
