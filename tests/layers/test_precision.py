from __future__ import annotations

import copy
import sys
from concurrent.futures import ThreadPoolExecutor
from unittest.mock import Mock

import pytest
import torch

from inrvid import build_discriminator, build_generator
from inrvid.errors import InrvidError
from inrvid.layers.precision import check_float64, in_float64
from inrvid.registry import registry

from ..small import small, small_generator


def test_a_device_without_float64_gets_no_part_of_a_generator(monkeypatch):
    check_float64(torch.device("meta"))
    with pytest.raises(InrvidError, match="mps: it has no float64"):
        check_float64(torch.device("mps"))  # which no PyTorch for this test's systems can make tensors on, of any type
    G = build_generator(small_generator("stylegan2", "conv1d"))
    refuse = Mock(side_effect=InrvidError("no float64"))
    monkeypatch.setattr("inrvid.generators.base.check_float64", refuse)
    with pytest.raises(InrvidError, match="no float64"):
        G.to("meta")
    assert {x.device.type for x in [*G.parameters(), *G.buffers()]} == {"cpu"}


@pytest.mark.parametrize("name", registry("generators").names())
def test_autocast_changes_no_generator(name):
    """Phases of waves, styles and sums of pictures need float32, whatever surrounds them."""
    G = build_generator(small_generator(name, "global"))
    latents, t = G.sample_latents(1), torch.tensor([0.0, 3.0])
    expected = G(latents, t)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(G(latents, t), expected)


@pytest.mark.parametrize("name", registry("discriminators").names())
def test_autocast_changes_no_discriminator(name):
    D = build_discriminator(small("discriminators", name))
    frames, t = torch.rand(2, D.frames, 3, 32, 32), torch.arange(float(D.frames)).expand(2, -1)
    expected = D(frames, t, torch.zeros(2, 0))
    with torch.autocast("cpu", torch.bfloat16):
        found = D(frames, t, torch.zeros(2, 0))
    assert all(torch.equal(found[head], expected[head]) for head in expected)


@torch.no_grad()
def test_threads_may_share_a_model(monkeypatch):
    """What one computes in float64 is not what another computes with."""
    G = build_generator(small_generator("stylegan2", "conv1d")).eval()
    latents, t = G.sample_latents(1), torch.tensor([0.0, 3.0])
    expected, parameters = G(latents, t), [*G.parameters()]
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        with ThreadPoolExecutor(4) as pool:
            found = [*pool.map(lambda _: G(latents, t), range(40))]
    finally:
        sys.setswitchinterval(before)
    assert all(torch.equal(frames, expected) for frames in found)
    assert all(one is other for one, other in zip(G.parameters(), parameters, strict=True))


def test_gradients_pass_through_float64():
    linear, x = torch.nn.Sequential(torch.nn.BatchNorm1d(3), torch.nn.Linear(3, 2)).eval(), torch.randn(4, 3)
    y = in_float64(linear, x.double())
    assert y.dtype == torch.float64
    found = torch.autograd.grad(y.square().sum(), [*linear.parameters()])
    twin = copy.deepcopy(linear).double()
    expected = torch.autograd.grad(twin(x.double()).square().sum(), [*twin.parameters()])
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other.float())


class Held(torch.nn.Module):
    """A part that is also in a list of its own."""

    def __init__(self):
        super().__init__()
        self.part = torch.nn.Linear(2, 2)
        self.order = [self.part]

    def forward(self, x):
        return self.order[0](x)


class Called(torch.nn.Module):
    """Accelerate's hooks take the place of `forward` like this."""

    def __init__(self):
        super().__init__()
        self.part = torch.nn.Linear(2, 2)
        self.forward = lambda x, first=self.forward: first(x)

    def forward(self, x):
        return self.part(x)


@pytest.mark.parametrize("kind", [Held, Called])
def test_whatever_a_module_holds_is_cast(kind):
    module, x = kind(), torch.randn(3, 2, dtype=torch.float64)
    assert torch.equal(in_float64(module, x), copy.deepcopy(module.part).double()(x))
    assert module.part.weight.dtype == torch.float32
