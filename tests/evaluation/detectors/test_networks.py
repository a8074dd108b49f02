"""'SAME' padding by its definition; folded batch norms against PyTorch's."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from inrvid.evaluation.detectors.networks import assign, fill, folded, max_pool, same
from inrvid.weights import WeightsError

NAN, INF = math.nan, math.inf


@pytest.mark.parametrize("size", range(6, 15))
@pytest.mark.parametrize(("kernel", "stride"), [(1, 1), (3, 1), (7, 2), (3, 2), (2, 2), (1, 2), (5, 2), (5, 1)])
def test_same_padding(size, kernel, stride):
    """⌈size / stride⌉ outputs, and the smaller half of the padding in front."""
    x = torch.arange(1.0, size + 1)[None, None]
    padded, left = same(x, (kernel,), (stride,))
    windows = F.pad(padded, (left[0], left[0])).unfold(2, kernel, stride)
    count = math.ceil(size / stride)
    assert windows.shape[2] == count
    total = max(0, (count - 1) * stride + kernel - size)
    assert (windows[0, 0, 0] == 0).sum() == total // 2
    assert (windows[0, 0, -1] == 0).sum() == total - total // 2


@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last_3d])
@pytest.mark.parametrize("shape", [(2, 6, 7), (5, 4, 9), (1, 1, 2), (16, 15, 14)])
@pytest.mark.parametrize(
    ("kernel", "stride"),
    [
        ((3, 3, 3), (1, 1, 1)),
        ((1, 3, 3), (1, 2, 2)),
        ((3, 3, 3), (2, 2, 2)),
        ((2, 2, 2), (2, 2, 2)),
        ((5, 1, 4), (1, 2, 3)),
    ],
)
def test_max_pool(kernel, stride, shape, memory_format):
    """As PyTorch's kernel finds it, bit for bit; what was given stays as it was."""
    x = torch.rand(2, 3, *shape, generator=torch.Generator().manual_seed(0)).to(memory_format=memory_format)
    before = x.clone()
    padded, left = same(x, kernel, stride)
    padded = F.pad(padded, [side for n in reversed(left) for side in (n, n)])
    assert torch.equal(max_pool(x, kernel, stride), F.max_pool3d(padded, kernel, stride))
    assert torch.equal(x, before)


def test_max_pools_have_gradients():
    x = torch.rand(1, 2, 4, 6, 6).requires_grad_()
    max_pool(x, (3, 3, 3), (2, 2, 2)).sum().backward()
    assert x.grad.sum() == 2 * 2 * 3 * 3  # one number under each window


@pytest.mark.parametrize("affine", [True, False])
def test_folding(affine):
    torch.manual_seed(0)
    conv, norm = nn.Conv3d(3, 5, 3, bias=False), nn.BatchNorm3d(5, eps=0.01).eval()
    for tensor in (norm.weight, norm.bias, norm.running_mean, norm.running_var):
        nn.init.uniform_(tensor, 0.5, 2)
    if not affine:
        nn.init.ones_(norm.weight)
    tensors = {"c.weight": conv.weight, **{f"n.{name}": value for name, value in norm.state_dict().items()}}
    if not affine:
        del tensors["n.weight"]
    one = nn.Conv3d(3, 5, 3)
    fill(one, "one", *folded(tensors, "c", "n", eps=0.01))
    x = torch.randn(2, 3, 6, 6, 6)
    torch.testing.assert_close(one(x), norm(conv(x)))


def test_other_shapes_are_refused():
    with pytest.raises(WeightsError, match=r"x: \[1, 1\] in the file, \[2, 2\] expected"):
        fill(nn.Linear(2, 2), "x", torch.ones(1, 1), torch.ones(2))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
def test_weights_of_a_network_that_was_built_without(dtype):
    with torch.device("meta"):
        network = nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 1))
    state = {name: torch.rand(value.shape, dtype=dtype) for name, value in network.state_dict().items()}
    assign(network, state)
    assert all(torch.equal(value, state[name]) for name, value in network.state_dict().items())
    assert not network.training
    assert not any(value.requires_grad for value in network.parameters())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"1.bias": None}, "1.bias is not among them"),
        ({"2.bias": torch.ones(1)}, "it has no place for 2.bias"),
        ({"0.weight": torch.ones(3, 2)}, r"0.weight: \[3, 2\] in the file, \[2, 3\] expected"),
        ({"0.bias": torch.tensor([1, 2])}, "0.bias is not a tensor of finite floating-point numbers"),
        *(({"0.bias": torch.tensor([1.0, value])}, "0.bias is not a tensor of finite") for value in (NAN, INF, -INF)),
    ],
)
def test_weights_that_do_not_fit(change, message):
    with torch.device("meta"):
        network = nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 1))
    state = {name: torch.rand(value.shape, device="cpu") for name, value in network.state_dict().items()}
    with pytest.raises(WeightsError, match=message):
        assign(network, {name: value for name, value in {**state, **change}.items() if value is not None})
