"""Augmentation of the scale of time: where frames go, and the augmentation before it."""

from __future__ import annotations

import pytest
import torch
from inrvid_long_video.augment.temporal_scale import stretched

from inrvid.plugins import Draws, registry


def augment(base=None, **keys):
    return registry("augments").build({"type": "temporal_scale", "base": base or {"type": "none"}, **keys})


def test_clips_are_cropped_or_padded_around_their_middle():
    one, twice, half = stretched(torch.tensor([1.0, 2.0, 0.5]), 5) @ torch.tensor([1.0, 2.0, 3.0, 4.0, 5.0]).double()
    assert one.tolist() == [1, 2, 3, 4, 5]
    assert twice.tolist() == [2, 2.5, 3, 3.5, 4]
    assert half.tolist() == [0, 1, 3, 5, 0]


def test_a_still_clip_stays_still_where_it_is_not_padded():
    weights = stretched(torch.tensor([1.0, 1.3, 1.9]), 8)
    torch.testing.assert_close(weights.sum(dim=2), torch.ones(3, 8).double())


def test_stretches_are_uniform_in_octaves():
    """Measured at a clip whose frames are their own numbers: neighbours in the middle are 1/stretch apart."""
    count = 2000
    frames = torch.arange(-7.5, 8)[None, :, None, None, None].expand(count, -1, 3, 1, 1)
    draws = Draws.of_batch(0, "augment", 0, range(count))
    out = augment(octaves=1.0).sample(draws, frames.device)(frames)[:, :, 0, 0, 0]
    octaves = -(out[:, 8] - out[:, 7]).log2()
    assert octaves.min() > -1.001
    assert octaves.max() < 1.001
    expected = torch.linspace(-1, 1, count)
    assert (octaves.sort().values - expected).abs().max() < 0.06


def test_the_base_comes_first_with_one_draw_for_all_frames():
    frames = torch.rand(4, 6, 3, 8, 8) * 2 - 1
    device = frames.device

    def draws():
        return Draws.of_batch(0, "augment", 0, range(4))

    base = {"type": "diffaugment"}
    weights = augment().sample(draws(), device)
    own = draws()
    own.uniform()
    before = registry("augments").build(base).sample(own, device)
    torch.testing.assert_close(augment(base).sample(draws(), device)(frames), weights(before(frames)))


def test_what_the_base_learns_is_kept():
    """ADA's p goes up as D is sure of real clips, is reported, and is in the state."""
    first = augment({"type": "ada", "speed_kclips": 1.0, "interval": 1})
    for _ in range(10):
        first.observe({"video": torch.ones(8)}, clips=8, total=lambda x: x)
    p = first.report()["augment/p"]
    assert p == pytest.approx(9 * 8 / 1000)
    second = augment({"type": "ada"})
    second.load_state_dict(first.state_dict())
    assert second.report()["augment/p"] == p
