"""The discriminator: what is frozen, what is saved, what conditions its logits."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from inrvid_projected.backbones import backbone, freeze

from inrvid import InrvidError, build_discriminator
from inrvid.plugins import Discriminator, EfficientNetLite0Network
from inrvid.testing import clips_for

SMALL = {"type": "projected", "resolution": 32, "clip_length": 8, "weights": "random", "size": 64}
SMALL |= {"channel_base": 256, "channel_max": 16, "condition_dim": 8, "max_frames": 32}


def built(**keys) -> Discriminator:
    return build_discriminator({**SMALL, **keys}, seed=1)


def test_the_backbone_is_frozen_and_not_saved(tmp_path):
    D = built()
    assert not any(name.startswith("backbone") for name, _ in D.named_parameters())
    assert {name.split(".")[0] for name in D.state_dict()} == {"judges", "mapping", "mixing", "time_embedding"}
    assert not any(module.training for module in D.train().backbone.modules())
    clips = clips_for(D)
    D.save_pretrained(tmp_path)
    loaded = Discriminator.from_pretrained(tmp_path)
    for head, logits in D(*clips).items():
        torch.testing.assert_close(loaded(*clips)[head], logits)


def test_other_weights_than_it_was_trained_with_are_refused():
    with pytest.raises(InrvidError, match=r"efficientnet_lite0: the sha256 of its weights is .*, not 0{64} as"):
        built(sha256="0" * 64)


def test_without_weights_it_says_how_to_get_them(tmp_path, monkeypatch):
    monkeypatch.setenv("INRVID_CACHE", str(tmp_path))
    with pytest.raises(InrvidError, match=r"(?s)^[^\n]*: inrvid detectors fetch efficientnet_lite0$"):
        built(weights=None)
    with pytest.raises(InrvidError, match=r"^[^\n]*nothing.safetensors: cannot be read: No such file or directory$"):
        built(weights=str(tmp_path / "nothing.safetensors"))


def test_heads_are_small_and_of_four_scales():
    D = built(size=224)
    logits = D(*clips_for(D, 2))
    assert {head: tuple(value.shape) for head, value in logits.items()} == {
        f"scale_{stride}": (2, 16) for stride in (4, 8, 16, 32)
    }


def test_distances_and_the_order_of_frames_count():
    D = built()
    frames, t, label = clips_for(D)
    logits = D(frames, t, label)
    for changed in (D(frames, 3 * t, label), D(frames.flip(1), t, label)):
        assert all((changed[head] - logits[head]).abs().max() > 1e-4 for head in logits)
    for head, value in D(frames, t + 17, label).items():
        torch.testing.assert_close(value, logits[head], rtol=1e-4, atol=1e-5)


def test_mean_features_have_no_order_and_no_parameters_a_frame():
    D, longer = built(merge="mean"), built(merge="mean", frames=5)
    assert {name: p.shape for name, p in D.judges.named_parameters()} == {
        name: p.shape for name, p in longer.judges.named_parameters()
    }
    frames, t, label = clips_for(D)
    for head, value in D(frames.flip(1), t, label).items():
        torch.testing.assert_close(value, D(frames, t, label)[head], rtol=1e-4, atol=1e-5)


def test_a_frame_s_features_are_its_own():
    D = built()
    frames = clips_for(D)[0]
    whole = D.features(frames.flatten(0, 1))["scale_4"].unflatten(1, (3, -1))
    first = D.features(frames[:, [0, 0, 0]].flatten(0, 1))["scale_4"].unflatten(1, (3, -1))
    torch.testing.assert_close(whole[:, 0], first[:, 2], rtol=1e-4, atol=1e-4)


def test_heads_look_once_unless_a_penalty_takes_them_apart():
    D, calls = built(), []
    D.backbone.register_forward_hook(lambda *args: calls.append(1))
    frames, t, label = clips_for(D)
    D(frames, t, label)
    assert len(calls) == 1
    D.heads(D.penalty_points(frames, t, lambda x: x)[1], t, label)
    assert len(calls) == 5


def test_a_frozen_network_is_the_network():
    torch.manual_seed(0)
    network = EfficientNetLite0Network()
    frames = torch.rand(2, 3, 64, 64)
    expected = network.maps(frames)
    for found, map_ in zip(freeze(network).maps(frames), expected, strict=True):
        torch.testing.assert_close(found, map_)
    assert not list(network.parameters())
    assert not network.state_dict()


def test_random_weights_are_of_the_seed():
    torch.manual_seed(5)
    frames = torch.rand(1, 3, 64, 64)
    first, again, other = (backbone("efficientnet_lite0", "random", None, seed)(frames) for seed in (1, 1, 2))
    assert [tuple(m.shape[1:]) for m in first] == [(24, 16, 16), (40, 8, 8), (112, 4, 4), (320, 2, 2)]
    assert all(map(torch.equal, first, again))
    assert not torch.equal(first[0], other[0])


@pytest.fixture
def timm():
    try:
        return __import__("timm")
    except Exception as reason:  # its torchvision may be of another PyTorch, and raises all kinds
        pytest.skip(f"timm cannot be imported: {reason}")


def test_networks_of_timm(timm):
    D = built(backbone="test_resnet.r160_in1k")
    frames, t, label = clips_for(D)
    assert all(value.shape[0] == len(frames) for value in D(frames, t, label).values())
    assert not any(name.startswith("backbone") for name in D.state_dict())
    torch.manual_seed(0)
    with torch.random.fork_rng(devices=[]):
        torch.random.default_generator.manual_seed(0)
        own = timm.create_model("test_resnet.r160_in1k", pretrained=False, features_only=True).eval()
    x = F.interpolate(frames.flatten(0, 1), size=(64, 64), mode="bilinear", align_corners=False)
    expected = own((x / 2 + 0.5 - 0.5) / 0.5)[1:]  # its mean and deviation are ½; it begins at half the size
    for found, map_ in zip(D.backbone(x), expected, strict=True):
        torch.testing.assert_close(found, map_)
    with pytest.raises(InrvidError, match=r"test_vit\.r160_in1k has no maps at 1/4 of the frames' size"):
        built(backbone="test_vit.r160_in1k")
    with pytest.raises(InrvidError, match="timm has no network 'resnet_of_nobody'"):
        built(backbone="resnet_of_nobody")
