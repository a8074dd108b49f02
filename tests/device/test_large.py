"""Tensors of more than 2³¹ numbers: offsets are 64-bit."""

from __future__ import annotations

import pytest
import torch

from inrvid.kernels import bias_act, fir, modulate, pointwise, upfirdn

from .conftest import needs_gpu

BYTES = 30 << 30

pytestmark = [
    needs_gpu,
    pytest.mark.skipif(
        torch.cuda.is_available() and torch.cuda.get_device_properties(0).total_memory < 2 * BYTES,
        reason="needs memory",
    ),
    pytest.mark.xdist_group("large"),
]


def same_at_the_end(make, run):
    """Of the last sample alone and of all: what lies beyond 2³¹ is computed from what lies there."""
    torch.cuda.empty_cache()
    x = make()
    assert x.numel() > 2**31
    last = run(x)[-1:].clone()
    torch.testing.assert_close(last, run(x[-1:].clone()))
    del x
    torch.cuda.empty_cache()


def maps(n, c, side):
    return lambda: torch.randn(n, side, side, c, device="cuda", dtype=torch.bfloat16).permute(0, 3, 1, 2)


def test_epilogue():
    same_at_the_end(maps(33, 64, 1024), lambda x: bias_act.bias_act(x, bound=2.0))


def test_resampling():
    same_at_the_end(maps(33, 64, 1024), lambda x: upfirdn.upfirdn(x, padding=(2, 1)))


def test_styles():
    styles = torch.rand(33, 64, device="cuda").bfloat16()
    same_at_the_end(maps(33, 64, 1024), lambda x: modulate.modulate(x, styles[-len(x) :]))


def test_planes():
    same_at_the_end(
        lambda: torch.randn(513, 2048, 2048, device="cuda", dtype=torch.bfloat16),
        lambda x: fir.fir(x, upfirdn.BINOMIAL, 2, down=2),
    )


def test_pointwise_layers():
    weight = torch.randn(1, 64, 64, device="cuda", dtype=torch.bfloat16)
    rows = 2**31 // 64 // 32

    def run(x):
        return pointwise.pointwise(x, weight.expand(len(x), -1, -1), slope=0.2)

    same_at_the_end(lambda: torch.randn(33, rows, 64, device="cuda", dtype=torch.bfloat16), run)
