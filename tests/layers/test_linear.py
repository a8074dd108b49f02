from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from inrvid.layers import linear
from inrvid.layers.linear import EqLinear


@pytest.fixture
def every_weight_is_large(monkeypatch):
    monkeypatch.setattr(linear, "LARGE", 0)
    monkeypatch.setattr(linear, "BLOCK", 3)


@pytest.mark.parametrize(("large", "block"), [(0, 3), (0, 2), (1 << 30, 3)])
@pytest.mark.parametrize("rows", [1, 2, 5, 16, 17])
def test_few_rows_have_the_product_and_gradients_of_any(rows, large, block, monkeypatch):
    """Large weights, if made of whole blocks, have a way of their own when x has few rows."""
    monkeypatch.setattr(linear, "LARGE", large)
    monkeypatch.setattr(linear, "BLOCK", block)
    layer = EqLinear(6, 9, activate=True, bias_init=0.3).double()
    x = torch.randn(rows, 6, dtype=torch.float64, requires_grad=True)
    bias = layer.bias * 2**0.5
    expected = F.leaky_relu(F.linear(x, layer.weight * (2**0.5 * layer.weight_gain), bias), 0.2)
    torch.testing.assert_close(layer(x), expected)
    inputs = (x, layer.weight, layer.bias)
    found, wanted = (torch.autograd.grad(y.square().sum(), inputs, create_graph=True) for y in (layer(x), expected))
    torch.testing.assert_close(found, wanted)
    found, wanted = (torch.autograd.grad(sum(g.square().sum() for g in first), inputs) for first in (found, wanted))
    torch.testing.assert_close(found, wanted)


@pytest.mark.parametrize("frozen", ["x", "weight"])
@pytest.mark.usefixtures("every_weight_is_large")
def test_what_needs_no_gradient_has_none(frozen):
    layer, x = EqLinear(6, 9), torch.randn(4, 6, requires_grad=frozen != "x")
    layer.weight.requires_grad_(frozen != "weight")
    layer(x).sum().backward()
    assert (x.grad is None, layer.weight.grad is None) == (frozen == "x", frozen == "weight")


@pytest.mark.usefixtures("every_weight_is_large")
def test_autocast():
    layer, x = EqLinear(6, 9), torch.randn(4, 6)
    with torch.autocast("cpu", torch.bfloat16):
        y = layer(x)
    y.float().sum().backward()
    assert layer.weight.grad is not None
