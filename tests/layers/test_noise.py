"""Instance noise: a clip's own, whatever the batch."""

from __future__ import annotations

import torch
from torch import nn

from inrvid.layers.noise import InstanceNoise, instance_noise

NETWORK = nn.Sequential(InstanceNoise(0.5), nn.Identity(), InstanceNoise(0.5))


def noisy(x, seeds):
    with instance_noise(NETWORK, lambda: seeds):
        return NETWORK(x)


def test_a_clip_has_the_same_noise_in_any_batch():
    x = torch.zeros(6, 3, 4, 4)
    together = noisy(x, [5, 6, 7])  # two rows a clip
    assert torch.equal(together, noisy(x, [5, 6, 7]))
    assert torch.equal(together[2:4], noisy(x[2:4], [6]))
    assert not torch.equal(together[:2], together[2:4])
    assert not torch.equal(together[0], together[1])


def test_each_layer_has_noise_of_its_own_and_of_its_strength():
    x = torch.zeros(2, 3, 64, 64)
    deviation = noisy(x, [1, 2]).std()
    torch.testing.assert_close(deviation, torch.tensor(0.5 * 2**0.5), rtol=0.03, atol=0)  # equal noise would give 1


def test_there_is_none_outside_and_the_global_state_is_untouched():
    x = torch.zeros(2, 1, 2, 2)
    state = torch.get_rng_state()
    noisy(x, [1, 2])
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(NETWORK(x), x)


def test_seeds_are_drawn_only_where_they_are_needed():
    with instance_noise(nn.Sequential(nn.Identity(), InstanceNoise(0.0)), lambda: 1 / 0):
        pass


def test_layers_differ_whatever_the_seed():
    network = torch.nn.Sequential(InstanceNoise(1.0), InstanceNoise(1.0))
    x = torch.zeros(1, 3, 64, 64)
    with instance_noise(network, lambda: [0]):
        torch.testing.assert_close(network(x).std(), torch.tensor(2**0.5), rtol=0.03, atol=0)
