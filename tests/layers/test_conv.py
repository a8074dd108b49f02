"""Convolutions of networks with float16 blocks: nothing leaves its range."""

from __future__ import annotations

import pytest
import torch

from inrvid.layers.conv import EqConv2d
from inrvid.layers.modulated_conv import ModulatedConv2d


@torch.no_grad()
@pytest.mark.parametrize("gain", [1.0, 0.5])
@pytest.mark.parametrize("activate", [False, True])
def test_activations_of_float16_networks_are_bounded(gain, activate):
    x = 1e4 * torch.ones(1, 3, 4, 4)
    for bounded in (True, False):
        conv = EqConv2d(3, 5, 3, activate=activate, gain=gain, half=bounded)
        assert (conv(x).abs().max() <= 256 * gain) == bounded
        modulated = ModulatedConv2d(3, 5, 3, 4, gain=gain, half=bounded)
        largest = modulated(x, modulated.modulated(torch.randn(1, 4))).abs().max()
        assert (largest <= 256 * gain) == bounded


@torch.no_grad()
def test_styles_of_float16_layers_are_at_most_1_and_change_nothing():
    torch.manual_seed(0)
    half = ModulatedConv2d(3, 5, 3, 4, half=True)
    whole = ModulatedConv2d(3, 5, 3, 4)
    whole.load_state_dict(half.state_dict())
    w, x = 50 * torch.randn(2, 4), torch.randn(2, 3, 4, 4)
    phi = half.modulated(w)
    torch.testing.assert_close(phi["style"].abs().amax(dim=1), torch.ones(2))
    torch.testing.assert_close(half(x, phi), whole(x, whole.modulated(w)), rtol=1e-4, atol=1e-4)
