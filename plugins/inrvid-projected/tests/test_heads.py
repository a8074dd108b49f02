"""Spectral norms against the singular values; how many logits a head has; that it is a function of its weights."""

from __future__ import annotations

import pytest
import torch
from inrvid_projected.heads import ScaleHead, SpectralConv2d


def channels(side):
    return min(64 // side, 16)


def test_norm_is_the_largest_singular_value():
    """Of a random matrix nearly, of one that stands out exactly; whatever the weight's own scale is."""
    torch.manual_seed(0)
    conv = SpectralConv2d(6, 12, 3)
    largest = torch.linalg.matrix_norm(conv.weight.flatten(1), ord=2)
    assert 0.85 * largest < conv.norm() <= largest * 1.0001
    with torch.no_grad():
        conv.weight += 20 * torch.randn(12, 1, 1, 1) * torch.randn(1, 6, 3, 3)
    largest = torch.linalg.matrix_norm(conv.weight.flatten(1), ord=2)
    torch.testing.assert_close(conv.norm(), largest)
    x = torch.randn(1, 6, 5, 5)
    before = conv(x)
    with torch.no_grad():
        conv.weight *= 7
    torch.testing.assert_close(conv(x), before)


def test_its_gradient_is_that_of_the_singular_value():
    torch.manual_seed(0)
    conv = SpectralConv2d(4, 5, 1).double()
    with torch.no_grad():
        conv.weight += 10 * torch.randn(5, 1, 1, 1) * torch.randn(1, 4, 1, 1)
    (found,) = torch.autograd.grad(conv.norm(), conv.weight)
    (exact,) = torch.autograd.grad(torch.linalg.matrix_norm(conv.weight.flatten(1), ord=2), conv.weight)
    torch.testing.assert_close(found, exact, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(("side", "logits"), [(2, 1), (4, 1), (8, 25), (14, 16), (16, 25), (28, 16), (56, 16)])
def test_logits_of_patches(side, logits):
    torch.manual_seed(0)
    head = ScaleHead(6, side, channels, cmap_dim=3, mbstd_group=2)
    found = head(torch.randn(4, 6, side, side), torch.randn(4, 3))
    assert found.shape == (4, logits)
    assert len(head.layers) == max(1, next(n for n in range(9) if side // 2**n <= 8))


def test_logits_are_projections_of_the_condition():
    torch.manual_seed(0)
    head = ScaleHead(6, 16, channels, cmap_dim=3, mbstd_group=1)
    x, cmap = torch.randn(2, 6, 16, 16), torch.randn(2, 3)
    torch.testing.assert_close(head(x, 2 * cmap), 2 * head(x, cmap))
    plain = ScaleHead(6, 16, channels, cmap_dim=0, mbstd_group=1)
    assert plain(x, None).shape == (2, 25)
    assert torch.equal(plain(x, None), plain(x, None))  # no state that a call changes
