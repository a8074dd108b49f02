"""What another motion of codes may change: how many of them lie around a time."""

from __future__ import annotations

import pytest
import torch

from inrvid import InrvidError
from inrvid.motion.conv1d import Conv1dMotion
from inrvid.random import Draws


class Three(Conv1dMotion):
    around = 3


@pytest.fixture
def motions():
    """One network of codes, of which two or three lie around a time."""
    built = []
    for motion_class in (Conv1dMotion, Three):
        torch.manual_seed(0)
        built.append(motion_class(Conv1dMotion.Config(code_dim=5), z_dim=4, label_dim=2, clip_length=16))
    return built


@pytest.mark.parametrize("training", [False, True])
@torch.no_grad()
def test_more_codes_around_a_time_are_those_of_later_times(motions, training):
    two, three = (motion.train(training) for motion in motions)
    noise = two.sample_noise(Draws.of_seeds([3, 4], "motion"))
    label, t = torch.eye(2), torch.tensor([[0.0, 40.5], [16.0, 900.0]])
    codes = three(noise, label, t)
    assert codes.values.shape == (2, 2, 3, 5)
    torch.testing.assert_close(codes.values[:, :, :2], two(noise, label, t).values)
    torch.testing.assert_close(codes.values[:, :, 2], two(noise, label, t + 16).right)
    assert torch.equal(codes.weight[..., 0], (t % 16).double() / 16)


def test_more_codes_need_more_noises(motions):
    for motion, kept in zip(motions, (21, 22), strict=True):
        assert motion.span.kept == kept
        explicit, label = torch.randn(1, kept + 1, 4), torch.zeros(1, 2)
        motion(explicit, label, torch.tensor([[15.9]]))
        with pytest.raises(InrvidError, match="code index"):
            motion(explicit, label, torch.tensor([[16.0]]))
