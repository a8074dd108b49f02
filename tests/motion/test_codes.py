"""What another motion of codes may change: how many of them lie around a time."""

from __future__ import annotations

import pytest
import torch

from inrvid import InrvidError
from inrvid.coords.acyclic import periods
from inrvid.motion.conv1d import Conv1dMotion
from inrvid.random import Draws
from inrvid.registry import registry


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


class Counting(Conv1dMotion):
    def window(self, noise, left):
        self.windows = left.numel()
        return super().window(noise, left)


@torch.no_grad()
def test_videos_with_times_of_their_own_compute_their_own_codes_alone():
    """As each of them by itself, at a cost that does not grow with the square of their number."""
    torch.manual_seed(0)
    motion = Counting(Conv1dMotion.Config(code_dim=5), z_dim=4, label_dim=0, clip_length=16).eval()
    noise, label = motion.sample_noise(Draws.of_seeds(range(6), "motion")), torch.zeros(6, 0)
    t = torch.rand(6, 3, generator=torch.Generator().manual_seed(0)) * 10_000
    together = motion(noise, label, t).values
    assert motion.windows == t.numel()
    alone = torch.cat([motion(noise[i : i + 1], label[:1], t[i : i + 1]).values for i in range(6)])
    torch.testing.assert_close(together, alone, rtol=1e-12, atol=1e-12)
    motion(noise, label, torch.arange(16.0).expand(6, -1))
    assert motion.windows == 6  # a clip's frames share one


@pytest.mark.parametrize("name", ["conv1d", "attention"])
@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({}, (16, 1024, "log")),
        ({"min_period": 4.0, "max_period": 64.0, "spacing": "linear"}, (4, 64, "linear")),
    ],
)
def test_heads_have_the_periods_of_the_configuration(name, keys, expected):
    motion = registry("motions").build({"type": name, "code_dim": 8, **keys}, z_dim=4, label_dim=0, clip_length=8)
    found = 2 * torch.pi / motion.head(6, 5).encoding.frequencies
    torch.testing.assert_close(found, periods(3, *expected))
