from __future__ import annotations

import pytest
import torch

from inrvid.kernels.bias_act import bias_act

from .comparing import BACKENDS, on_backend


@pytest.mark.parametrize("backend", BACKENDS)
def test_maps_are_rows_in_channels_last_memory(backend):
    x, bias, scale = torch.randn(2, 5, 3, 7), torch.randn(5), torch.rand(2, 5) + 0.5
    y = on_backend(backend, bias_act, (x, bias, scale))
    rows = on_backend(backend, bias_act, (x.flatten(2).mT, bias, scale))
    assert y.shape == x.shape
    assert y.is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(y.flatten(2).mT, rows)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_scale_may_serve_consecutive_samples(backend):
    x, scale = torch.randn(6, 4, 3), torch.rand(2, 3) + 0.5
    found = on_backend(backend, bias_act, (x, None, scale))
    torch.testing.assert_close(found, on_backend(backend, bias_act, (x, None, scale.repeat_interleave(3, dim=0))))


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_result_is_bounded_and_nan_stays(backend):
    x = torch.tensor([[[-1e5, -1.0, 0.0, 1.0, 1e5, float("nan"), float("inf")]]])
    y = on_backend(backend, lambda x: bias_act(x, slope=0.5, gain=2.0, bound=16.0), (x,)).cpu()
    expected = torch.tensor([[[-16.0, -1.0, 0.0, 2.0, 16.0, float("nan"), 16.0]]])
    torch.testing.assert_close(y, expected, equal_nan=True)
