"""VGG16 with random weights: names, shapes, pooling, what is refused. (Published ones: test_real_weights.)"""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from inrvid.evaluation.detectors.layouts import vgg16
from inrvid.evaluation.detectors.vgg16 import WIDTHS, Vgg16Network, load_vgg16
from inrvid.weights import WeightsError

PLACES = ((0, 2), (6, 8), (12, 14, 16), (20, 22, 24), (28, 30, 32))
"""Of the convolutions, as the package numbers layers."""


def published(scale: float = 1.0) -> dict[str, Tensor]:
    """As the package lays it out, in the order of the text."""
    draws, state = torch.Generator().manual_seed(0), {"scaling_layer.shift": torch.zeros(1, 3, 1, 1)}
    before = 3
    for stage, (places, widths) in enumerate(zip(PLACES, WIDTHS, strict=True)):
        state[f"net.slice{stage + 1}.{places[0] - 1}.filt"] = torch.ones(1, 1, 3, 3)
        for place, width in zip(places, widths, strict=True):
            weight = torch.randn(width, before, 3, 3, generator=draws) * (2 / (9 * before)) ** 0.5
            state[f"net.slice{stage + 1}.{place}.weight"] = weight * scale
            state[f"net.slice{stage + 1}.{place}.bias"] = torch.zeros(width)
            before = width
        state[f"lin{stage}.model.1.weight"] = torch.rand(1, before, 1, 1, generator=draws)
    return dict(sorted(state.items()))


@pytest.fixture(scope="module")
def network():
    return load_vgg16(vgg16(published()).tensors)


def test_maps_halve_and_are_the_widths_wide(network):
    maps = network.maps(torch.rand(2, 3, 48, 32))
    assert [x.shape[1] for x in maps] == [stage[-1] for stage in WIDTHS] == [len(w) for w in network.linear]
    assert [tuple(x.shape[2:]) for x in maps] == [(48, 32), (25, 17), (13, 9), (7, 5), (4, 3)]
    assert all((x >= 0).all() for x in maps)


def test_convolutions_are_in_the_order_of_their_numbers(network):
    """'10' comes before '2' as text."""
    assert network.convs[1].weight.equal(published()["net.slice1.2.weight"])
    assert network.convs[12].weight.equal(published()["net.slice5.32.weight"])
    assert network.linear[3].equal(published()["lin3.model.1.weight"].flatten())


def test_pooling_keeps_what_is_constant_and_does_not_alias():
    network = Vgg16Network()
    assert network._pooled(torch.full((1, 2, 9, 8), 3.0)).allclose(torch.tensor(3.0))
    dot = torch.zeros(1, 1, 16, 16)
    dot[..., 7, 7] = 1
    sums = [float(network._pooled(dot.roll(shift, -1)).sum()) for shift in (0, 1)]
    assert sums[0] == pytest.approx(sums[1], rel=1e-6)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"lin2.model.1.weight": None}, "linear.2 is not among them"),
        ({"classifier.weight": torch.ones(1)}, "it has no place for classifier.weight"),
        ({"net.slice2.6.weight": torch.ones(128, 64, 1, 1)}, r"convs.2.weight: \[128, 64, 1, 1\] in the file"),
        ({"net.slice2.6.weight": torch.full((128, 64, 3, 3), torch.nan)}, "not a tensor of finite"),
    ],
)
def test_unfit_weights_are_refused(change, message):
    state = {name: value for name, value in {**published(), **change}.items() if value is not None}
    with pytest.raises(WeightsError, match=message):
        load_vgg16(vgg16(state).tensors)
