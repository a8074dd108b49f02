"""What the recurrent network and its heads are given."""

from __future__ import annotations

import torch

from inrvid.motion.noise import ExplicitNoise
from inrvid.random import Draws
from inrvid.registry import registry


def lstm(**keys):
    torch.manual_seed(0)
    config = {"type": "lstm", "code_dim": 8, "distance": 1, **keys}
    return registry("motions").build(config, z_dim=4, label_dim=3, clip_length=8)


@torch.no_grad()
def test_network_and_heads_are_both_told_the_label():
    motion = lstm()
    head, t, (first, second) = motion.head(6, 5), torch.tensor([[0.0, 2.5]]), torch.eye(3)[:2, None]
    noise, w = ExplicitNoise(torch.randn(1, 5, 4)), torch.zeros(1, 5)
    state, other = motion(noise, first, t), motion(noise, second, t)
    assert not torch.allclose(state.u, other.u)
    assert not torch.allclose(head(state, w), head(state._replace(label=second), w))
    assert head(state, w).shape == (1, 2, 6)


def test_noises_may_be_wider_than_the_latents():
    motion = lstm(noise_dim=9)
    noise = motion.sample_noise(Draws.of_seeds([0, 1], "motion"))
    assert noise.at(torch.tensor([[0, 1], [2, 3]])).shape == (2, 2, 9)
    assert motion(noise, torch.zeros(2, 3), torch.tensor([[0.0], [2.0]])).u.shape == (2, 1, 8)


@torch.no_grad()
def test_codes_are_the_lstm_s_and_lines_between_them():
    motion, noise, label = lstm(distance=4), torch.randn(1, 4, 4), torch.eye(3)[:1]
    found = motion(ExplicitNoise(noise), label, torch.tensor([[0.0, 4.0, 5.0, -3.0]])).u[0]
    codes, _ = motion.lstm(torch.cat([noise, label.expand(1, 4, -1)], dim=-1))
    expected = torch.stack([codes[0, 0], codes[0, 1], 0.75 * codes[0, 1] + 0.25 * codes[0, 2], codes[0, 0]])
    torch.testing.assert_close(found, expected)


def test_heads_have_two_layers():
    assert len(lstm().head(6, 5).mapping.layers) == 2
