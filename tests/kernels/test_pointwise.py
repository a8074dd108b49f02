from __future__ import annotations

import pytest
import torch

from inrvid.kernels.pointwise import pointwise

from .comparing import BACKENDS, on_backend


@pytest.mark.parametrize("backend", BACKENDS)
def test_every_video_has_its_own_matrix(backend):
    x, weight, bias = torch.randn(3, 17, 6), torch.randn(3, 6, 9), torch.randn(9)
    y = on_backend(backend, lambda *a: pointwise(*a, slope=0.2), (x, weight, bias)).cpu()
    for own, matrix, result in zip(x, weight, y, strict=True):
        linear = torch.nn.functional.linear(own, matrix.mT, bias)
        torch.testing.assert_close(result, torch.nn.functional.leaky_relu(linear, 0.2), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("backend", BACKENDS)
def test_sums_are_wide(backend):
    """Half the sum is lost if it is kept in half precision."""
    y = on_backend(backend, pointwise, (torch.ones(1, 3, 4096).half(), torch.full((1, 4096, 5), 2**-10).half()))
    torch.testing.assert_close(y.cpu(), torch.full((1, 3, 5), 4.0).half())
