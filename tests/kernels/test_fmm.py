from __future__ import annotations

import pytest
import torch

from inrvid.kernels.fmm import fmm_weight

from .comparing import BACKENDS, on_backend


@pytest.mark.parametrize("backend", BACKENDS)
def test_rows_have_the_gain_as_norm(backend):
    weight, left, right = torch.randn(7, 40), torch.randn(3, 7, 2), torch.randn(3, 2, 40)
    found = on_backend(backend, lambda *a: fmm_weight(*a, gain=1.5), (weight, left, right)).cpu()
    assert found.shape == (3, 40, 7)
    assert found.is_contiguous()
    torch.testing.assert_close(found.norm(dim=1), torch.full((3, 7), 1.5))


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_row_of_zeros_stays(backend):
    weight = torch.randn(4, 6)
    weight[1] = 0
    found = on_backend(backend, fmm_weight, (weight, torch.randn(2, 4, 3), torch.randn(2, 3, 6))).cpu()
    assert found[:, :, 1].abs().max() == 0
    assert found.isfinite().all()
