"""Snapshots become models that compute what the release computed."""

from __future__ import annotations

import json
import sys
import warnings
import zipfile

import pytest
import torch
from safetensors.torch import save_file

from inrvid import InrvidError, Latents, VideoGenerator
from inrvid.errors import ModelError
from inrvid.models.convert import convert
from inrvid.models.files import DISCRIMINATOR, GENERATOR
from inrvid.models.official import from_official
from inrvid.models.official.describing import Choices
from inrvid.models.pretrained import load_discriminator
from inrvid.motion.noise import ExplicitNoise

from ..golden_files import GOLDEN, assert_close, below, golden
from .making import Network, node, pickled

CLIP = 16


def converted(path, out, *accepted, **given):
    return convert(path, out, Choices(accepted, given))


@pytest.fixture(scope="module")
def digan(tmp_path_factory):
    out = tmp_path_factory.mktemp("digan") / "model"
    return converted(GOLDEN / "digan_a.pkl", out), out


@pytest.fixture(scope="module")
def stylegan_v(tmp_path_factory):
    out = tmp_path_factory.mktemp("stylegan_v") / "model"
    return converted(GOLDEN / "stylegan_v_b.pkl", out), out


def test_digan_s_snapshot_gives_the_release_s_frames_and_logits(digan):
    tensors, (found, out) = golden("digan_a"), digan
    latents = Latents(tensors["input.z"], tensors["input.z_motion"], tensors["input.label"])
    for folder in (out, out / GENERATOR):
        with torch.no_grad():
            frames = VideoGenerator.from_pretrained(folder).inr(latents)(tensors["input.t_unit"] * (CLIP - 1))
        assert_close(frames, tensors["frames"])
    dt = tensors["input.dt_unit"] * (CLIP - 1)
    logits = load_discriminator(out)(
        tensors["input.pair"], torch.stack([torch.zeros_like(dt), dt], dim=1), latents.label
    )
    assert_close(logits["motion"], tensors["D.motion_logits"])
    assert_close(logits["image"], tensors["D.image_logits"])
    assert found.layout == "DIGAN"
    assert found.assumed == {"clip_length": 16, "fps": 25.0}


def test_stylegan_v_s_snapshot_gives_the_release_s_frames_and_logits(stylegan_v):
    tensors, (found, out) = golden("stylegan_v_b"), stylegan_v
    latents = Latents(tensors["input.z"], ExplicitNoise(tensors["input.motion_z"]), tensors["input.label"])
    for folder in (out, out / GENERATOR):
        with torch.no_grad():
            assert_close(VideoGenerator.from_pretrained(folder).inr(latents)(tensors["input.t"]), tensors["frames"])
    D = load_discriminator(out)
    assert_close(D(tensors["input.clip"], tensors["input.t_clip"], latents.label)["video"], tensors["D.logits"])
    assert (found.layout, found.resolution, found.classes) == ("StyleGAN-V", 32, 6)


def test_a_model_says_where_it_is_from(digan):
    config = json.loads((digan[1] / "config.json").read_text())
    assert config["source"]["file"] == "digan_a.pkl"
    assert len(config["source"]["sha256"]) == 64
    assert config["source"]["layout"] == "digan"
    data = config["source"]["stored"]["training_set_kwargs"]
    assert data == {"class_name": "training.dataset.UCF101Wrapper", "path": "UCF-101", "resolution": 128}


def test_a_snapshot_is_the_same_model_as_its_weights_in_safetensors(digan):
    G, D, _ = from_official(GOLDEN / "digan_a.safetensors")
    converted_ = VideoGenerator.from_pretrained(digan[1])
    assert {**converted_.config, "extra_layers": 0} == {**G.config, "extra_layers": 0}
    assert all(torch.equal(value, converted_.state_dict()[name]) for name, value in G.state_dict().items())
    assert D.config == json.loads((digan[1] / DISCRIMINATOR / "config.json").read_text())["discriminator"]


# Small snapshots, made here: StyleGAN-V's without most of its blocks' width


def weights_of(name, prefix="G."):
    return below(prefix, golden(name))


SETTINGS = {
    "c_dim": 6, "w_dim": 16, "img_resolution": 32, "img_channels": 3, "mapping_kwargs": {"num_layers": 2},
    "synthesis_kwargs": {"channel_base": 2048, "channel_max": 40, "num_fp16_res": 0, "conv_clamp": None},
}  # fmt: skip
CFG = {
    "z_dim": 16, "use_noise": False, "input": {"type": "temporal"}, "sampling": {"max_num_frames": 32, "fps": 30},
    "motion": {"z_dim": 16, "v_dim": 16, "motion_z_distance": 4, "gen_strategy": "conv", "fourier": True},
    "time_enc": {"dim": 8, "min_period_len": 4, "max_period_len": 128},
}  # fmt: skip


def written(tmp_path, weights=None, settings=SETTINGS, cfg=CFG, source="", suffix=".pkl", **others):
    weights = weights_of("stylegan_v_b") if weights is None else weights
    network = Network("Generator", weights, {**settings, "cfg": node(cfg)}, source=source)
    path = tmp_path / f"network-snapshot-000123{suffix}"
    path.write_bytes(pickled({"G_ema": network, **others}))
    return path


def test_settings_of_omegaconf_are_read(tmp_path):
    converted(written(tmp_path), tmp_path / "out")
    G = VideoGenerator.from_pretrained(tmp_path / "out")
    assert (G.fps, G.config["motion"]["distance"]) == (30, 4)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["config.json", "model.safetensors"]
    source = json.loads((tmp_path / "out" / "config.json").read_text())["source"]
    assert source["thousand_pictures"] == 123


def test_references_of_omegaconf_are_followed(tmp_path):
    cfg = {**CFG, "delta": 4, "motion": {**CFG["motion"], "motion_z_distance": "${delta}", "v_dim": "${.z_dim}"}}
    converted(written(tmp_path, cfg=cfg), tmp_path / "out", "cfg.delta")
    assert VideoGenerator.from_pretrained(tmp_path / "out").config["motion"]["distance"] == 4


def test_source_text_in_a_snapshot_is_not_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    source = f"import os\nos.system('touch {tmp_path / 'marker'}')\nopen('marker', 'w')\n"
    before = set(sys.modules)
    converted(written(tmp_path, source=source), tmp_path / "out")
    assert source.encode() in written(tmp_path, source=source).read_bytes()
    assert not (tmp_path / "marker").exists()
    assert not {name for name in set(sys.modules) - before if "torch_utils" in name or "omegaconf" in name}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"use_noise": True}, "cfg.use_noise = True (not False)"),
        ({"use_noise": 0}, "cfg.use_noise = 0 (not False)"),
        ({"bspline": {"degree": 3}}, "cfg.bspline.degree = 3"),
        ({"z_dim": 24}, "its setting z_dim is 24, its weights are those of 16"),
        ({"motion": {**CFG["motion"], "gen_strategy": "rnn"}}, "cfg.motion.gen_strategy = 'rnn' (not 'conv')"),
        ({"time_enc": {**CFG["time_enc"], "max_period_len": 64}}, "freqs is not 2π by min_period … max_period"),
    ],
)  # fmt: skip
def test_settings_that_nothing_expresses_are_refused_by_name(tmp_path, change, told):
    path = written(tmp_path, cfg={**CFG, **change})
    with pytest.raises(ModelError) as error:
        converted(path, tmp_path / "out")
    assert told in str(error.value)
    assert str(error.value).startswith(f"{path}: G_ema: ")
    assert not (tmp_path / "out").exists()


def test_refused_settings_can_be_accepted(tmp_path):
    path = written(tmp_path, cfg={**CFG, "bspline": {"degree": 3, "of": None}, "loss": "x"})
    with pytest.raises(ModelError, match=r"--accept 'cfg.bspline.degree,cfg.loss'"):
        converted(path, tmp_path / "out", "cfg.bspline.of")
    assert converted(path, tmp_path / "out", "cfg.bspline.*", "cfg.loss").accepted == ["cfg.bspline.degree", "cfg.loss"]
    config = json.loads((tmp_path / "out" / "config.json").read_text())
    assert config["accepted"] == ["cfg.bspline.degree", "cfg.loss"]


def test_what_the_file_does_not_say_can_be_set(tmp_path):
    motion = {key: value for key, value in CFG["motion"].items() if key != "motion_z_distance"}
    path = written(tmp_path, cfg={**CFG, "motion": motion})
    assert converted(path, tmp_path / "a").assumed == {"motion_distance": 16, "clip_length": 16}
    assert converted(path, tmp_path / "b", motion_distance=4).assumed == {"motion_distance": 4, "clip_length": 16}
    assert VideoGenerator.from_pretrained(tmp_path / "b").config["motion"]["distance"] == 4
    with pytest.raises(ModelError, match=r"min_period is 4 in the file, 8 was asked for"):
        converted(path, tmp_path / "c", min_period=8)
    with pytest.raises(ModelError, match=r"--set sigma_t: what may be missing in a file of StyleGAN-V is clip_length"):
        converted(path, tmp_path / "c", sigma_t=8)


def test_blocks_in_half_precision(tmp_path):
    for settings, blocks in (({"num_fp16_res": 2, "conv_clamp": 256}, 2), ({}, 0)):
        synthesis = {**SETTINGS["synthesis_kwargs"], **settings}
        path = written(tmp_path, settings={**SETTINGS, "synthesis_kwargs": synthesis})
        converted(path, tmp_path / "out")
        assert VideoGenerator.from_pretrained(tmp_path / "out").config["half_blocks"] == blocks
    path = written(tmp_path, settings={**SETTINGS, "synthesis_kwargs": {**synthesis, "conv_clamp": 256}})
    with pytest.raises(ModelError, match="num_fp16_res 0 with conv_clamp 256"):
        converted(path, tmp_path / "out")
    converted(path, tmp_path / "out", "conv_clamp")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"synthesis.b16.conv1.bias": None}, "are not min|lacks the weight blocks.16.layers.conv1.bias"),
        ({"synthesis.b16.conv1.odd": torch.ones(1)}, "its weight blocks.16.layers.conv1.odd is none of the layout's"),
        ({"synthesis.b16.conv1.weight": torch.ones(40, 40, 1, 1)}, r"conv1.weight is \[40, 40, 1, 1\], where"),
        ({"synthesis.b16.conv1.bias": torch.full((40,), torch.nan)}, "conv1.bias is not of finite floating-point"),
        ({"synthesis.b16.conv1.bias": torch.ones(40, dtype=torch.int64)}, "conv1.bias is not of finite floating-point"),
        ({"synthesis.b16.resample_filter": torch.ones(4, 4) / 16}, "_filter is not .* --accept resample_filter"),
    ],
)  # fmt: skip
def test_weights_that_do_not_fit_are_refused_by_name(tmp_path, change, told):
    weights = {key: value for key, value in {**weights_of("stylegan_v_b"), **change}.items() if value is not None}
    with pytest.raises(ModelError, match=f"(?s){told}"):
        converted(written(tmp_path, weights), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_half_precision_weights_become_float32(tmp_path):
    weights = {k: v.half() if "mapping" in k else v for k, v in weights_of("stylegan_v_b").items()}
    converted(written(tmp_path, weights), tmp_path / "out")
    G = VideoGenerator.from_pretrained(tmp_path / "out")
    assert torch.equal(G.mapping.layers[0].weight, weights["mapping.fc0.weight"].float())


# Other files


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("nested", [True, False])
def test_weights_by_name_in_files_of_torch(tmp_path, zipped, nested):
    weights, path = weights_of("digan_a"), tmp_path / "state.pt"
    value = {"G_ema": weights, "epoch": 3} if nested else {f"G_ema.{k}": v for k, v in weights.items()}
    torch.save(value, path, _use_new_zipfile_serialization=zipped)
    found = converted(path, tmp_path / "out", sigma_t=0.5)
    assert found.assumed["sigma_t"] == 0.5
    G, _, _ = from_official(GOLDEN / "digan_a.safetensors")
    own = VideoGenerator.from_pretrained(tmp_path / "out")
    assert all(torch.equal(value, own.state_dict()[name]) for name, value in G.state_dict().items())
    assert (own.config["coord_dim"], own.config["fmm_rank"], own.config["input_resolution"]) == (6, 3, 32)
    assert own.config["extra_layers"] == {"128": 1}


def test_a_generator_s_weights_alone(tmp_path):
    torch.save(weights_of("stylegan_v_b"), tmp_path / "state.pt")
    found = converted(tmp_path / "state.pt", tmp_path / "out", motion_distance=4, min_period=4, max_period=128)
    assert found.parameters[""] == sum(p.numel() for p in VideoGenerator.from_pretrained(tmp_path / "out").parameters())


def test_safetensors(tmp_path):
    found = converted(GOLDEN / "stylegan_v_a.safetensors", tmp_path / "a")
    assert (found.network, found.assumed) == ("G", {"clip_length": 16, "fps": 25.0})
    bare = {f"G_ema.{key}": value for key, value in weights_of("digan_a").items()}
    save_file(bare, tmp_path / "bare.safetensors")
    assert converted(tmp_path / "bare.safetensors", tmp_path / "b").network == "G_ema"


def test_torchscript_is_refused_by_name(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it is of the past
        torch.jit.script(torch.nn.Linear(2, 2)).save(str(tmp_path / "script.pt"))
    with zipfile.ZipFile(tmp_path / "script.pt") as archive:
        assert any("code" in name for name in archive.namelist())
    with pytest.raises(ModelError, match="TorchScript, which is a program"):
        converted(tmp_path / "script.pt", tmp_path / "out")


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ({"a": 1}, "no generator in it: it holds a"),
        ([1], "no networks in it"),
        ({"G_ema": {"mapping.x": torch.ones(1)}}, "the layout of no release that is known"),
    ],
)
def test_what_is_no_snapshot_is_refused(tmp_path, value, told):
    torch.save(value, tmp_path / "x.pt")
    with pytest.raises(ModelError, match=told):
        converted(tmp_path / "x.pt", tmp_path / "out")


# The folder


def test_a_model_is_replaced_and_nothing_else(tmp_path):
    path, out = written(tmp_path), tmp_path / "out"
    out.mkdir()
    converted(path, out)
    before = (out / "model.safetensors").read_bytes()
    other = written(tmp_path, {k: v + 1 if k == "mapping.w_avg" else v for k, v in weights_of("stylegan_v_b").items()})
    converted(other, out)
    assert (out / "model.safetensors").read_bytes() != before
    (out / "notes.txt").write_text("mine")
    with pytest.raises(InrvidError, match=r"holds something that is no model \(notes.txt\)"):
        converted(path, out)
    with pytest.raises(InrvidError, match=r"no model \(a file\)"):
        converted(path, path)
    assert path.stat().st_size


def test_another_program_s_model_is_no_model(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "config.json").write_text('{"architectures": []}')
    with pytest.raises(InrvidError, match="nothing is overwritten but models"):
        converted(written(tmp_path), tmp_path / "out")
    assert (tmp_path / "out" / "config.json").read_text() == '{"architectures": []}'


def test_no_network_of_another_model_stays_beside_it(tmp_path):
    converted(GOLDEN / "stylegan_v_b.pkl", tmp_path / "out")
    with pytest.raises(InrvidError, match="of another model, and the snapshot has none to replace it"):
        converted(written(tmp_path), tmp_path / "out")
