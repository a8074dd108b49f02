from __future__ import annotations

import pytest
import torch

from inrvid.kernels.bias_act import bias_act
from inrvid.kernels.upfirdn import BINOMIAL, upfirdn, upfirdn_bias_act

from .cases import TWELVE
from .comparing import BACKENDS, on_backend

SETTINGS = [
    {"padding": (2, 1)},
    {"up": 2, "padding": (2, 1), "gain": 4.0},
    {"down": 2, "padding": (1, 1)},
    {"up": 3, "down": 2, "padding": (0, 5)},
    {"taps": TWELVE, "up": 2, "padding": (6, 5)},
    {"taps": (0.2, 0.8), "padding": (-1, 2)},
]


def slowly(x, taps=BINOMIAL, up=1, down=1, padding=(0, 0), gain=1.0):
    """Sample by sample, along the last axis and then the other."""
    for axis in (3, 2):
        signal = [0.0] * padding[0]
        for value in x.unbind(axis):
            signal += [value, *[0.0] * (up - 1)]
        signal = (signal + [0.0] * padding[1])[max(-padding[0], 0) :]
        windows = range(0, len(signal) - len(taps) + 1, down)
        zero = torch.zeros_like(x.select(axis, 0))
        x = torch.stack([zero + sum(t * s for t, s in zip(taps, signal[i:], strict=False)) for i in windows], axis)
    return x * gain


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("setting", SETTINGS, ids=str)
def test_is_what_it_says(setting, backend):
    x = torch.randn(2, 3, 6, 5)
    y = on_backend(backend, lambda x: upfirdn(x, **setting), (x,)).cpu()
    torch.testing.assert_close(y, slowly(x, **setting), rtol=1e-4, atol=1e-5)
    assert y.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_constant_passes(backend):
    """Away from the borders: also between the samples of an upsampled one."""
    y = on_backend(backend, lambda x: upfirdn(x, up=2, padding=(2, 1), gain=4.0), (torch.ones(1, 2, 6, 6),)).cpu()
    assert y.shape == (1, 2, 12, 12)
    torch.testing.assert_close(y[:, :, 2:-2, 2:-2], torch.ones(1, 2, 8, 8))


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_epilogue_is_a_bias_act(backend):
    x, bias, scale = torch.randn(4, 3, 6, 5), torch.randn(3), torch.rand(2, 3) + 0.5
    found = on_backend(
        backend, lambda *a: upfirdn_bias_act(*a, padding=(1, 1), filter_gain=4, bound=2), (x, bias, scale)
    )
    filtered = upfirdn(x, padding=(1, 1), gain=4)
    torch.testing.assert_close(found.cpu(), bias_act(filtered, bias, scale, bound=2), rtol=1e-4, atol=1e-5)
