"""Networks of timm's with random weights: what they are given, whose weights they have, and what is refused.

Where timm is not installed, that it says so is all that is tested.
"""

from __future__ import annotations

import hashlib
import importlib.util
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from huggingface_hub import constants
from safetensors.torch import save_file
from torch import Tensor

from inrvid.errors import InrvidError
from inrvid.evaluation.detectors.base import NotHere
from inrvid.evaluation.detectors.timm import timm_network
from inrvid.registry import registry

from ...models.hub_server import Repository, hub
from .making import imported

VIT, RESNET = "test_vit.r160_in1k", "test_resnet.r160_in1k"
"""Of timm's smallest: a transformer that takes images of one size, and a network of convolutions that takes any."""


def build(**keys):
    return registry("detectors").build({"type": "timm", **keys})


def clips(frames: int = 3, height: int = 24, width: int = 40) -> Tensor:
    return torch.rand(2, frames, 3, height, width, generator=torch.Generator().manual_seed(0)) * 2 - 1


@pytest.fixture
def network(tmp_path):
    """timm's own network and a file of its weights, by name."""
    timm = imported("timm")

    def made(name: str, **keys):
        torch.manual_seed(0)
        own = timm.create_model(name, pretrained=False, **keys).eval()
        for value in own.parameters():  # far from where a training begins: zeros would hide what is wrong
            torch.nn.init.normal_(value, std=0.2)
        path = tmp_path / f"{name}.safetensors"
        save_file(own.state_dict(), path)
        return own, str(path)

    return made


def test_without_timm_it_says_what_to_install():
    if importlib.util.find_spec("timm") is not None:
        pytest.skip("timm is installed")
    with pytest.raises(NotHere, match=r"^timm cannot be imported \(No module.*\): pip install 'inrvid\[perceptual\]'$"):
        build()


@pytest.mark.parametrize(("name", "mode", "width"), [(VIT, "bicubic", 64), (RESNET, "bilinear", 96)])
@torch.inference_mode()
def test_frames_are_given_as_timm_says(network, name, mode, width):
    own, path = network(name)
    detector = build(model=name, weights=path)
    images = F.interpolate(clips().flatten(0, 1), size=(160, 160), mode=mode).clamp(-1, 1) / 2 + 0.5
    mean, std = (torch.tensor(own.pretrained_cfg[key]).view(3, 1, 1) for key in ("mean", "std"))
    maps = own.forward_features((images - mean) / std)
    expected = own.forward_head(maps, pre_logits=True).unflatten(0, (2, 3)).mean(1)
    assert expected.shape == (2, width)
    torch.testing.assert_close(detector.features(clips()), expected, rtol=1e-4, atol=1e-4)
    assert detector.digest.features == f"{name}: pooled ({width}), mean over frames"
    assert detector.digest.resize == f"{mode}, no antialiasing, squashed to 160×160"


@torch.inference_mode()
def test_logits_are_of_classes(network):
    own, path = network(RESNET)
    detector = build(model=RESNET, weights=path, outputs="logits")
    assert detector.gives_logits
    assert not build(model=RESNET, weights=path).gives_logits
    pooled = build(model=RESNET, weights=path).features(clips())
    torch.testing.assert_close(detector.features(clips()), own.get_classifier()(pooled), rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("name", [VIT, RESNET])
def test_another_size(network, name):
    """A transformer's places are resampled to it, as timm does it."""
    _, path = network(name)
    small, own = build(model=name, weights=path, size=64), build(model=name, weights=path)
    assert small.digest.resize.endswith("squashed to 64×64")
    assert small.features(clips()).shape == own.features(clips()).shape
    assert (small.features(clips()) - own.features(clips())).abs().max() > 1e-3


@torch.no_grad()
def test_a_network_for_other_uses(network):
    """Its maps, with the weights of the file; without any, none is read."""
    whole, path = network(RESNET)
    found = timm_network(RESNET, path, features_only=True)
    assert found.sha256 == hashlib.sha256(Path(path).read_bytes()).hexdigest()
    assert (found.side, found.mode, found.mean.shape) == (160, "bilinear", (3, 1, 1))
    images = torch.rand(1, 3, 64, 64)
    torch.testing.assert_close(found.network(images)[-1], whole.forward_features(images))
    assert timm_network(RESNET, pretrained=False, features_only=True).sha256 == ""


def test_long_clips_are_taken_frame_by_frame(network):
    _, path = network(VIT)
    detector = build(model=VIT, weights=path)
    clip = clips(frames=19)
    frames = torch.stack([detector.features(clip[:, i : i + 1]) for i in range(19)])
    torch.testing.assert_close(detector.features(clip), frames.mean(0), rtol=1e-4, atol=1e-4)


def test_weights_are_named_by_the_sha256_of_their_file(network, tmp_path):
    own, path = network(VIT)
    torch.save({"state_dict": own.state_dict()}, tmp_path / "vit.pth")
    safe, torchs = build(model=VIT, weights=path), build(model=VIT, weights=str(tmp_path / "vit.pth"))
    assert safe.digest.sha256 == hashlib.sha256((tmp_path / f"{VIT}.safetensors").read_bytes()).hexdigest()
    assert torchs.digest.sha256 != safe.digest.sha256
    assert torch.equal(safe.features(clips()), torchs.features(clips()))
    with pytest.raises(InrvidError, match=r"its sha256 is .*, not 0000"):
        build(model=VIT, weights=path, sha256="0" * 64)


def test_the_hub_and_then_its_cache(network, tmp_path, monkeypatch):
    own, path = network(VIT)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    with hub(monkeypatch) as remote:
        content = Path(path).read_bytes()
        remote.objects[hashlib.sha256(content).hexdigest()] = content
        remote.repos[f"timm/{VIT}"] = Repository(lfs={"model.safetensors"})
        remote.repos[f"timm/{VIT}"].commit({"model.safetensors": content})
        remote.damages = {"model.safetensors"}
        with pytest.raises(InrvidError, match="damaged"):
            build(model=VIT)
        remote.damages = set()
        found = build(model=VIT)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert build(model=VIT).digest == found.digest == build(model=VIT, weights=path).digest
    assert torch.equal(build(model=VIT).network.state_dict()["head.weight"], own.state_dict()["head.weight"])


def test_without_the_hub_it_says_what_to_fetch(tmp_path, monkeypatch):
    imported("timm")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(NotHere) as error:
        build(model=VIT)
    message = str(error.value)
    assert "\n" not in message
    assert message.startswith(f"timm: no weights of {VIT}: timm/{VIT}: the Hub cannot be reached")
    assert f"where there is a network: hf download timm/{VIT} model.safetensors; or give the file" in message


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        (
            {"model": "vit_smal_patch14_dinov2"},
            "timm has no network 'vit_smal.*Did you mean 'vit_small_patch14_dinov2'",
        ),
        ({"model": "hf-hub:them/net"}, "timm has no network 'hf-hub:them/net'"),
        ({"model": "test_vit.in99k"}, "timm has no weights 'test_vit.in99k': its tags are r160_in1k"),
        ({"model": RESNET}, r"test_vit.*safetensors: these weights do not fit: .*Missing key"),
    ],
)
def test_what_is_wrong_is_told_in_a_line(network, keys, told):
    _, path = network(VIT)
    with pytest.raises(InrvidError, match=told) as error:
        build(weights=path, **keys)
    assert "\n" not in str(error.value)


def test_a_network_without_classes_has_no_logits(network):
    _, path = network("vit_small_patch14_dinov2.lvd142m", img_size=28)
    with pytest.raises(InrvidError, match=r"dinov2\.lvd142m has no classes: `outputs: pooled`"):
        build(weights=path, size=28, outputs="logits")
