from __future__ import annotations

import pytest
import torch

from inrvid.layers.attention import attend


def definition(query, key, value):
    weights = (query @ key.mT / query.shape[-1] ** 0.5).softmax(dim=-1)
    return weights @ value


def test_is_its_definition():
    query, key, value = torch.randn(6, 2, 1, 8), torch.randn(6, 2, 5, 8), torch.randn(6, 2, 5, 8)
    torch.testing.assert_close(attend(query, key, value), definition(query, key, value))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="xformers has no CPU kernels")
def test_xformers_gives_the_same():
    pytest.importorskip("xformers")
    query, key, value = (torch.randn(6, 2, n, 16, device="cuda") for n in (1, 5, 5))
    torch.testing.assert_close(attend(query, key, value), definition(query, key, value), rtol=1e-3, atol=1e-3)
