from __future__ import annotations

import pytest
import torch

from inrvid.kernels.inr_layer import Phase, doubled, halved, inr_layer
from inrvid.kernels.pointwise import pointwise

from .comparing import BACKENDS, assert_near, exactly, on_backend


def layer(speed, height=40, width=36, depth=24, channels=5, dtype=torch.float32):
    """(origin, down, right, weight, bias) whose highest frequency is `speed` radians a pixel."""
    generator = torch.Generator().manual_seed(0)
    origin, down, right, weight, bias = (
        torch.randn(shape, generator=generator, dtype=torch.float64)
        for shape in ((2, 2, depth), (2, depth), (2, depth), (2, 2 * depth, channels), (channels,))
    )
    steps = [speed * step / step.abs().amax() for step in (down, right)]
    return [x.to(dtype) for x in (origin, *steps, weight, bias)]


def run(origin, down, right, weight, bias, size=(40, 36)):
    return inr_layer(None, Phase(origin, down, right), weight, bias, *size)


@pytest.mark.parametrize("speed", [0.0, 0.01, 0.1, 0.4, 1.0, 3.0, 1e3])
def test_nodes_give_what_all_points_give(speed):
    """Slow waves at few nodes, those too fast for it on the full grid; float32 keeps the phase to 1e-7 of itself."""
    arguments = layer(speed)
    expected = on_backend("definition", run, exactly(arguments))
    assert_near([on_backend("cpu", run, arguments)], [expected], 1e-6 + 40 * speed * 1e-7)


def test_float64_takes_all_points():
    arguments = layer(0.1, dtype=torch.float64)
    assert_near([on_backend("cpu", run, arguments)], [on_backend("definition", run, arguments)], 1e-13)


@pytest.mark.parametrize("backend", BACKENDS)
def test_coarse_features_may_be_doubled_after_their_product(backend):
    """A pointwise layer of doubled features beside the embedding is the layer with their coarse product."""
    origin, down, right, weight, bias = layer(0.5, depth=4)
    size, features, own = (6, 4), torch.randn(2, 2, 3, 2, 7), torch.randn(2, 7, 5)
    coarse = pointwise(features.flatten(1, 3), own).view(2, 2, 3, 2, 5)
    found = on_backend(
        backend, lambda c, *a: inr_layer(c, Phase(*a[:3]), *a[3:], *size), (coarse, origin, down, right, weight, bias)
    )
    i, j = (torch.arange(float(n)) for n in size)
    phase = origin[:, :, None, None] + (i[:, None] * down[:, None])[:, None, :, None]
    phase = phase + (j[:, None] * right[:, None])[:, None, None]
    both = torch.cat([doubled(features), phase.sin(), phase.cos()], dim=-1).flatten(1, 3)
    expected = pointwise(both, torch.cat([own, weight], dim=1), bias, slope=0.2).view(found.shape)
    torch.testing.assert_close(found.cpu(), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("backend", BACKENDS)
def test_backward_takes_frames_in_turn(backend, monkeypatch):
    """However many frames are held at a time."""

    def gradients(*arguments):
        leaves = [x.requires_grad_() for x in arguments]
        return torch.autograd.grad(run(*leaves, size=(4, 3)).square().sum(), leaves)

    arguments = layer(0.5, depth=4)
    expected = on_backend("definition", gradients, exactly(arguments))
    if backend == "triton":
        from inrvid.kernels.inr_layer import triton as module

        monkeypatch.setattr(module, "CHUNK", 1)
    assert_near(on_backend(backend, gradients, arguments), expected, 1e-5)


def test_halved_is_the_adjoint_of_doubled():
    x, y = torch.randn(2, 1, 3, 2, 5), torch.randn(2, 1, 6, 4, 5)
    torch.testing.assert_close((doubled(x) * y).sum(), (x * halved(y)).sum())
