"""Directions of the weights: the ones of the largest change, of steps of one length."""

from __future__ import annotations

import pytest
import torch

from inrvid import InrvidError
from inrvid.applications.edit.closed_form import closed_form
from inrvid.applications.edit.directions import observed_styles
from inrvid.layers.linear import StyleAffine

from ..making import model


def vectors(G, count, length):
    return torch.cat([direction.vector for direction in closed_form(G, count, length)]).double()


@pytest.mark.parametrize("generator", ["inr_gan", "stylegan2"])
def test_what_the_layers_were_made_to_see_comes_first(generator):
    G = model(generator)
    seen = torch.linalg.qr(torch.randn(12, 2, generator=torch.Generator().manual_seed(0))).Q.mT
    for module in G.modules():
        if isinstance(module, StyleAffine):
            rows = torch.randn(len(module.weight), 2, generator=torch.Generator().manual_seed(1))
            module.weight.data = 0.01 * module.weight.data + rows @ torch.diag(torch.tensor([2.0, 1.0])) @ seen
    found = vectors(G, 2, "unit")
    along = torch.nn.functional.normalize(found, dim=1) @ seen.double().mT
    torch.testing.assert_close(along.abs(), torch.eye(2).double(), rtol=0, atol=0.1)


def test_steps_are_of_one_standard_deviation_and_change_the_most():
    G = model()
    C = torch.cov(observed_styles(G).double().mT)
    A = G.style_weights().detach().double()
    found = vectors(G, 12, "spread")
    # n_i ᵀ C⁻¹ n_j = δ_ij: each is a step of one standard deviation, and they are independent of each other.
    torch.testing.assert_close(found @ torch.linalg.inv(C) @ found.mT, torch.eye(12).double(), rtol=1e-3, atol=1e-3)
    changes = (found @ A.mT).norm(dim=1)
    assert (changes.diff() <= 0).all()
    others = torch.randn(200, 12, generator=torch.Generator().manual_seed(0)).double()
    others = others / (others @ torch.linalg.inv(C) * others).sum(1, keepdim=True).sqrt()
    assert ((others @ A.mT).norm(dim=1) <= changes[0] * 1.0001).all()
    # What w varies by: the covariance is that of the steps together.
    torch.testing.assert_close(found.mT @ found, C, rtol=1e-3, atol=1e-4)


def test_steps_of_one_length_are_the_paper_s():
    G = model()
    A = G.style_weights().detach().double()
    found = torch.nn.functional.normalize(vectors(G, 12, "unit"), dim=1)
    torch.testing.assert_close(found @ found.mT, torch.eye(12).double(), rtol=1e-5, atol=1e-5)
    spread = found @ A.mT @ A @ found.mT
    torch.testing.assert_close(spread, spread.diagonal().diag(), rtol=1e-4, atol=1e-3)
    along = observed_styles(G).double() @ found.mT
    torch.testing.assert_close(vectors(G, 12, "unit").norm(dim=1), along.std(dim=0), rtol=1e-4, atol=1e-5)


def test_as_many_as_there_are():
    G = model()
    assert [direction.name for direction in closed_form(G, 3)] == ["style_1", "style_2", "style_3"]
    for count in (0, 13):
        with pytest.raises(InrvidError, match="this model has 1 to 12"):
            closed_form(G, count)
