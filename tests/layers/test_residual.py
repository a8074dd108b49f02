from __future__ import annotations

import pytest
import torch

from inrvid.kernels.upfirdn import upfirdn
from inrvid.layers.conv import EqConv2d
from inrvid.layers.linear import EqLinear
from inrvid.layers.residual import minibatch_std


@pytest.mark.parametrize(("batch", "group", "used"), [(8, 4, 4), (6, 4, 3), (5, 4, 1), (2, 4, 2), (7, 7, 7), (4, 1, 1)])
def test_minibatch_std_groups(batch, group, used):
    """Sample i belongs to group i mod (B/G), G the largest divisor of B up to the group size."""
    x = torch.randn(batch, 3, 4, 4)
    plane = minibatch_std(x, group)[:, 3]
    for i in range(batch):
        members = [j for j in range(batch) if j % (batch // used) == i % (batch // used)]
        expected = (x[members].var(dim=0, unbiased=False) + 1e-8).sqrt().mean()
        torch.testing.assert_close(plane[i], expected.expand(4, 4))


def test_lowpass_keeps_a_constant_and_removes_the_highest_frequency():
    x = torch.ones(1, 2, 8, 8)
    checkers = (torch.arange(8)[:, None] + torch.arange(8)) % 2 * 2.0 - 1
    smooth = upfirdn(x, padding=(2, 2))
    torch.testing.assert_close(smooth[:, :, 3:6, 3:6], x[:, :, 3:6, 3:6])
    assert upfirdn(checkers.expand(1, 2, 8, 8), padding=(2, 2))[:, :, 3:6, 3:6].abs().max() < 1e-6


@pytest.mark.parametrize("size", [1, 3])
def test_convolutions_halve_even_sizes(size):
    conv = EqConv2d(3, 5, size, down=True, activate=True)
    assert conv(torch.randn(2, 3, 12, 8)).shape == (2, 5, 6, 4)
    assert EqConv2d(3, 5, size)(torch.randn(2, 3, 12, 8)).shape == (2, 5, 12, 8)


def test_unit_variance_is_kept():
    """Equalised learning rate: layers of any width keep the scale of unit Gaussian inputs."""
    torch.manual_seed(0)
    assert abs(EqLinear(400, 300)(torch.randn(500, 400)).std() - 1) < 0.05
    assert abs(EqLinear(400, 300, lr_mult=0.01)(torch.randn(500, 400)).std() - 1) < 0.05
    assert abs(EqConv2d(64, 64, 3)(torch.randn(2, 64, 32, 32)).std() - 1) < 0.05


def test_deviations_of_half_precision_do_not_overflow():
    x = 300 * torch.randn(4, 3, 4, 4, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(minibatch_std(x.half(), 4)[:, 3].float(), minibatch_std(x, 4)[:, 3], rtol=1e-2, atol=0)
