"""EfficientNet-lite0 with random weights: names, shapes, what is refused. (Published ones: test_real_weights.)"""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from inrvid.evaluation.detectors.efficientnet_lite0 import (
    FRAMES_AT_ONCE,
    EfficientNetLite0,
    EfficientNetLite0Network,
    load_efficientnet_lite0,
)
from inrvid.weights import WeightsError

from ...golden_files import relative_error


def state_dict() -> dict[str, Tensor]:
    """As the `efficientnet_pytorch` family lays it out."""
    draws = torch.Generator().manual_seed(0)
    state: dict[str, Tensor] = {}
    for conv, norm, ours in EfficientNetLite0Network().convolutions():
        state[f"{conv}.weight"] = torch.randn(ours.weight.shape, generator=draws) * (2 / ours.weight[0].numel()) ** 0.5
        for name in ("weight", "running_var"):
            state[f"{norm}.{name}"] = torch.rand(ours.out_channels, generator=draws) + 0.5
        for name in ("bias", "running_mean"):
            state[f"{norm}.{name}"] = 0.1 * torch.randn(ours.out_channels, generator=draws)
    state["_fc.weight"] = torch.randn(1000, 1280, generator=draws)
    state["_fc.bias"] = torch.randn(1000, generator=draws)
    return state


@pytest.fixture(scope="module")
def detector(tmp_path_factory):
    path = tmp_path_factory.mktemp("lite0") / "lite0.pth"
    torch.save({**state_dict(), "_bn0.num_batches_tracked": torch.tensor(7)}, path)
    return EfficientNetLite0(EfficientNetLite0.Config(weights=str(path)))


def frames(count: int) -> Tensor:
    return torch.rand(count, 3, 40, 40, generator=torch.Generator().manual_seed(0)) * 2 - 1


def test_it_has_the_published_size():
    state = state_dict()
    assert len(state) == 247
    assert sum(value.numel() for value in state.values()) == 4_694_024


def test_frames_are_taken_by_themselves_and_averaged(detector):
    clip = frames(FRAMES_AT_ONCE + 3)
    features = detector.frame_features(clip)
    assert features.shape == (FRAMES_AT_ONCE + 3, 1280)
    assert relative_error(features[-1:], detector.frame_features(clip[-1:])) < 1e-5
    assert relative_error(detector.features(clip[None])[0], features.mean(0)) < 1e-5


@torch.no_grad()
def test_maps_are_the_last_of_each_size():
    """The finest of them behind the last block before the next that halves; the coarsest is what is pooled."""
    network, x = load_efficientnet_lite0(state_dict()), frames(2)[..., :32, :32].contiguous()
    maps = network.maps(x)
    assert [tuple(m.shape[1:]) for m in maps] == [(24, 8, 8), (40, 4, 4), (112, 2, 2), (320, 1, 1)]
    torch.testing.assert_close(network.head(maps[-1]).mean((2, 3)), network.pooled(x))
    torch.testing.assert_close(maps[1], network.blocks[:5](network.stem(x)))


def test_logits_are_of_the_pooled_features(detector):
    with torch.inference_mode():
        logits = detector.network(frames(1))
        pooled = detector.network.pooled(frames(1))
    state = state_dict()
    torch.testing.assert_close(logits, pooled @ state["_fc.weight"].T + state["_fc.bias"], rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"_blocks.3._bn1.bias": None}, "_blocks.3._bn1.bias is not among them"),
        ({"_fc.bias": None}, "_fc.bias is not among them"),
        ({"_blocks.0._expand_conv.weight": torch.ones(1)}, "it has no place for _blocks.0._expand_conv.weight"),
        ({"_fc.weight": torch.ones(10, 1280)}, r"_fc: \[10, 1280\] in the file"),
    ],
)
def test_unfit_weights_are_refused(change, message):
    state = {name: value for name, value in {**state_dict(), **change}.items() if value is not None}
    with pytest.raises(WeightsError, match=message):
        load_efficientnet_lite0(state)
