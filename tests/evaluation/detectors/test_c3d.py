"""C3D with small random weights: by its definition, by properties, and what is refused. Trained weights were never
here."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import Tensor

from inrvid.errors import InrvidError
from inrvid.evaluation.detectors.c3d import CONVOLUTIONS, C3dNetwork
from inrvid.registry import registry

PUBLISHED = dict(
    zip((*CONVOLUTIONS, "fc6", "fc7", "fc8"), (64, 128, 256, 256, *[512] * 4, 4096, 4096, 101), strict=True)
)
SMALL = dict(zip(PUBLISHED, (4, 5, 6, 6, 7, 7, 8, 8, 20, 12, 9), strict=True))


def state_dict() -> dict[str, Tensor]:
    with torch.device("meta"):
        shapes = {name: value.shape for name, value in C3dNetwork(SMALL).state_dict().items()}
    draws = torch.Generator().manual_seed(0)
    return {
        name: torch.randn(shape, generator=draws) * (0.1 if len(shape) == 1 else (2 / shape[1:].numel()) ** 0.5)
        for name, shape in shapes.items()
    }


@pytest.fixture
def weights(tmp_path):
    def save(**change):
        state = {name: value for name, value in {**state_dict(), **change}.items() if value is not None}
        save_file(state, tmp_path / "c3d.safetensors")
        return str(tmp_path / "c3d.safetensors")

    return save


def build(path, **keys):
    return registry("detectors").build({"type": "c3d", "weights": str(path), **keys})


def clips(count: int = 2, frames: int = 16, side: int = 112) -> Tensor:
    return torch.rand(count, frames, 3, side, side, generator=torch.Generator().manual_seed(0)) * 2 - 1


def by_definition(frames: Tensor, last_pool: str) -> Tensor:
    """Logits of clips in [−1, 1] at 112×112, written out layer by layer."""
    state = state_dict()
    blue_first = torch.stack([frames[:, :, colour] for colour in (2, 1, 0)], dim=1)
    x = (blue_first + 1) * 127.5 - torch.tensor([90.0, 98, 102]).view(3, 1, 1, 1)
    for name in CONVOLUTIONS:
        x = F.conv3d(x, state[f"{name}.weight"], state[f"{name}.bias"], padding=1).clamp(min=0)
        if name == "conv1":
            x = x.unflatten(4, (56, 2)).unflatten(3, (56, 2)).amax((4, 6))
        elif name in ("conv2", "conv3b", "conv4b"):
            t, h, w = (n // 2 for n in x.shape[2:])
            x = (
                x[:, :, : 2 * t, : 2 * h, : 2 * w]
                .unflatten(4, (w, 2))
                .unflatten(3, (h, 2))
                .unflatten(2, (t, 2))
                .amax((3, 5, 7))
            )
    front = 1 if last_pool == "centred" else 0
    x = F.pad(x, (front, 1 - front, front, 1 - front)).amax(2)  # 7×7 and a border at one side, or the other
    x = x.unflatten(3, (4, 2)).unflatten(2, (4, 2)).amax((3, 5)).flatten(1)
    x = (x @ state["fc6.weight"].T + state["fc6.bias"]).clamp(min=0)
    x = (x @ state["fc7.weight"].T + state["fc7.bias"]).clamp(min=0)
    return x @ state["fc8.weight"].T + state["fc8.bias"]


@pytest.mark.parametrize("last_pool", ["centred", "front"])
def test_logits_are_those_of_the_definition(weights, last_pool):
    found = build(weights(), last_pool=last_pool).features(clips())
    expected = by_definition(clips(), last_pool)
    assert expected.std() > 1
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-2)


def test_it_has_the_published_size():
    with torch.device("meta"):
        network = C3dNetwork(PUBLISHED)
    assert sum(value.numel() for value in network.parameters()) == 78_409_573


def test_outputs_follow_from_each_other(weights):
    path, state = weights(), state_dict()
    fc6, fc7, logits = (build(path, outputs=name) for name in ("fc6", "fc7", "logits"))
    assert [detector.gives_logits for detector in (fc6, fc7, logits)] == [False, False, True]
    found = fc7.features(clips())
    assert fc6.features(clips()).shape == (2, 20)
    assert found.min() >= 0
    expected = found @ state["fc8.weight"].T + state["fc8.bias"]
    torch.testing.assert_close(logits.features(clips()), expected, rtol=1e-4, atol=1e-3)
    assert fc7.digest.features == "fc7 (12), bgr less 90/98/102, last pool centred"
    assert logits.digest.features == "logits (9), bgr less 90/98/102, last pool centred"


def test_the_order_of_colours(weights):
    """A network that takes red first sees of a clip what the other sees of one with red and blue exchanged."""
    path = weights()
    bgr, rgb = build(path, mean=[100, 110, 120]), build(path, mean=[100, 110, 120], colours="rgb")
    torch.testing.assert_close(bgr.features(clips()), rgb.features(clips().flip(2)))
    assert (bgr.features(clips()) - rgb.features(clips())).abs().max() > 1


def test_a_mean_clip_in_the_file_is_subtracted(weights):
    """Its middle, in the network's order of colours: of the clip itself nothing is left."""
    mean = torch.full((3, 16, 128, 171), -1000.0)
    mean[:, :, 8:120, 29:141] = ((clips(1) + 1) * 127.5)[0].flip(1).transpose(0, 1)
    detector = build(weights(mean=mean[None]))
    assert detector.digest.features == "logits (9), bgr less a mean clip, last pool centred"
    zero = C3dNetwork(SMALL)
    zero.load_state_dict(state_dict())
    expected = zero(torch.zeros(1, 3, 16, 112, 112)).detach()
    torch.testing.assert_close(detector.features(clips(1)), expected, rtol=1e-4, atol=1e-3)


def test_clips_are_looked_at_by_themselves_and_in_their_order(weights):
    detector = build(weights())
    found = detector.features(clips(6, side=20))
    torch.testing.assert_close(found[5:], detector.features(clips(6, side=20)[5:]), rtol=1e-4, atol=1e-2)
    assert (detector.features(clips(1).flip(1)) - found[:1]).abs().max() > 1


@pytest.mark.parametrize("frames", [15, 17])
def test_other_numbers_of_frames_are_refused(weights, frames):
    with pytest.raises(InrvidError, match=f"c3d needs 16 frames, got {frames}"):
        build(weights()).features(clips(frames=frames))


def test_ports_put_things_before_the_names(weights, tmp_path):
    expected = build(weights()).features(clips())
    before = {name: "features." if name.startswith("conv") else "classifier." for name in state_dict()}
    torch.save({"state_dict": {f"module.{before[n]}{n}": v for n, v in state_dict().items()}}, tmp_path / "c3d.pth")
    assert torch.equal(build(tmp_path / "c3d.pth").features(clips()), expected)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"conv3a.bias": None}, "conv3a.bias is not among them"),
        ({"fc9.weight": torch.ones(3)}, "it has no place for fc9.weight"),
        ({"b.conv1.bias": torch.ones(4)}, "two of them are called conv1.bias"),
        ({"conv2.weight": torch.ones(5, 3, 3, 3, 3)}, r"conv2.weight: \[5, 3, 3, 3, 3\] in the file, \[5, 4"),
        ({"fc8.bias": torch.tensor([np.inf] * 9)}, "fc8.bias is not a tensor of finite"),
        ({"mean": torch.ones(3, 16, 100, 100)}, r"mean: a clip \[3, 16, 112, 112\] or larger .* got \[3, 16, 100"),
        ({"mean": torch.ones(3)}, r"mean: a clip .* got \[3\]"),
    ],
)  # fmt: skip
def test_unfit_weights_are_refused(weights, change, message):
    path = weights(**change)
    with pytest.raises(InrvidError, match=message) as error:
        build(path)
    assert str(error.value).startswith(f"{path}: ")
    assert "\n" not in str(error.value)
