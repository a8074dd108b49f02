from __future__ import annotations

import pytest
import torch

from inrvid.kernels.inr_layer import doubled
from inrvid.kernels.to_rgb import to_rgb

from .comparing import BACKENDS, on_backend


@pytest.mark.parametrize("backend", BACKENDS)
def test_pictures_add_up(backend):
    """A base of half the size is doubled; without features, the picture is base and bias."""
    x, weight, bias, base = torch.zeros(2, 3, 4, 6, 5), torch.randn(2, 5, 3), torch.randn(3), torch.randn(2, 3, 2, 3, 3)
    found = on_backend(backend, to_rgb, (x, weight, bias, base)).cpu()
    torch.testing.assert_close(found, doubled(base) + bias)
    torch.testing.assert_close(on_backend(backend, to_rgb, (x, weight, bias, doubled(base))).cpu(), found)


@pytest.mark.parametrize("backend", BACKENDS)
def test_pictures_stay_wide(backend):
    x, weight, bias = torch.randn(1, 1, 2, 2, 5).bfloat16(), torch.randn(1, 5, 3), torch.randn(3)
    assert on_backend(backend, to_rgb, (x, weight, bias, None)).dtype == torch.float32
