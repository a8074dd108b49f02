from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from inrvid.kernels import strided
from inrvid.kernels.strided import grow

from .comparing import assert_near, first_order, second_order


@pytest.fixture
def calls(monkeypatch):
    """The sizes that the library's own operation is called with, whatever the map's."""
    found, own = [], strided.GROW
    monkeypatch.setattr(strided, "WORTHWHILE", 0)
    monkeypatch.setattr(strided, "GROW", lambda *arguments: found.append(arguments[2]) or own(*arguments))
    return found


@pytest.mark.parametrize("k", [1, 2, 3, 4])
def test_grow_is_the_transposed_convolution(calls, k):
    small, weight = torch.randn(2, 5, 3, 4), torch.randn(5, 6, k, k)
    for order in (first_order, second_order):
        exact = order(lambda x, w: F.conv_transpose2d(x, w, stride=2), small.double(), weight.double())
        assert_near(order(grow, small, weight), exact, 1e-5)
    assert calls[0] == [4 + k, 6 + k]


@pytest.mark.parametrize(("dtype", "trained"), [(torch.float64, True), (torch.float16, True), (torch.float32, False)])
def test_pytorch_runs_where_its_gradient_is_as_good(calls, dtype, trained):
    small, weight = torch.randn(1, 4, 3, 3).to(dtype), torch.randn(4, 2, 3, 3).to(dtype).requires_grad_(trained)
    torch.testing.assert_close(grow(small, weight), F.conv_transpose2d(small, weight, stride=2))
    assert not calls


def test_small_maps_are_not_worth_it(calls, monkeypatch):
    monkeypatch.setattr(strided, "WORTHWHILE", 1 + 4 * 9)
    grow(torch.randn(1, 4, 3, 3), torch.randn(4, 2, 3, 3, requires_grad=True))
    assert not calls


def test_autocast(calls):
    small, weight = torch.randn(1, 4, 3, 3), torch.randn(4, 2, 3, 3, requires_grad=True)
    with torch.autocast("cpu", torch.bfloat16):
        y = grow(small, weight)
    y.float().sum().backward()
    assert weight.grad is not None
