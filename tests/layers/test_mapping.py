"""Styles of latents."""

from __future__ import annotations

import torch

from inrvid.layers.mapping import MappingNetwork


def test_the_mean_of_styles_stays_in_evaluation():
    mapping = MappingNetwork(6, 0, 5, layers=2).eval()
    mapping(torch.randn(4, 6), torch.zeros(4, 0))
    assert not mapping.w_average.any()
