from __future__ import annotations

import torch

from inrvid.layers.activation import GAIN
from inrvid.layers.fmm import FMMLinear
from inrvid.layers.mapping import MappingNetwork


def test_rows_are_normalised_whatever_the_style():
    layer = FMMLinear(7, 5, 4, rank=2)
    weight = layer.modulated(torch.randn(3, 4) * 10)
    assert weight.shape == (3, 7, 5)
    torch.testing.assert_close(weight.norm(dim=1) / GAIN, torch.ones(3, 5))


def test_modulation_has_the_rank():
    torch.manual_seed(0)
    layer = FMMLinear(12, 9, 4, rank=2).double()
    scale = layer.modulated(torch.randn(2, 4).double()) / layer.weight.mT  # (1 + L·R)·(row norms)
    ratio = scale[0] / scale[0].sum(dim=0)
    assert torch.linalg.matrix_rank(ratio) <= 2 + 1


def test_truncation_leads_to_the_mean():
    mapping = MappingNetwork(6, 0, 5, layers=2)
    label = torch.zeros(2000, 0)
    z = torch.randn(2000, 6, generator=torch.Generator().manual_seed(0))
    for _ in range(400):
        mapping(z, label)
    mapping.eval()
    w = mapping(z, label)
    torch.testing.assert_close(mapping(z, label, 0.0)[0], mapping.w_average)
    torch.testing.assert_close(mapping.w_average, w.mean(dim=0), rtol=0.15, atol=0.05)
    torch.testing.assert_close(mapping(z, label, 0.5), (w + mapping.w_average) / 2)
