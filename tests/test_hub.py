"""Models on disk: what cannot be loaded is refused with what to do."""

from __future__ import annotations

import json

import pytest
import torch
from safetensors.torch import load_file, save_file

from inrvid import InrvidError, VideoGenerator, build_generator

from .small import small_generator


@pytest.fixture
def model(tmp_path):
    G = build_generator(small_generator("inr_gan", "global"), seed=3)
    G.save_pretrained(tmp_path / "run" / "model", clips=7)
    return tmp_path / "run" / "model"


def refusal(path):
    with pytest.raises(InrvidError) as caught:
        VideoGenerator.from_pretrained(path)
    return str(caught.value)


def test_folder_holds_plain_data_and_weights_alone(model):
    assert sorted(p.name for p in model.iterdir()) == ["config.json", "model.safetensors"]
    config = json.loads((model / "config.json").read_text())
    assert config["clips"] == 7
    assert config["components"]["motions.global"]["package"] == "inrvid"
    assert config["generator"]["motion"]["type"] == "global"


def test_run_folder_is_a_model(model):
    G = VideoGenerator.from_pretrained(model.parent)
    assert not G.training
    assert torch.equal(G.mapping.layers[0].weight, VideoGenerator.from_pretrained(model).mapping.layers[0].weight)


def test_missing_weight_is_refused(model):
    tensors = load_file(model / "model.safetensors")
    tensors.pop("mapping.w_average")
    save_file(tensors, model / "model.safetensors")
    assert "do not fit" in refusal(model)


def test_truncated_weights_are_refused(model):
    weights = model / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    assert "model.safetensors: these weights do not fit" in refusal(model)


@pytest.mark.parametrize("text", ["{", "[]", "{}"])
def test_broken_config_is_refused(model, text):
    (model / "config.json").write_text(text)
    assert "config.json: " in refusal(model)


def test_config_that_no_longer_validates_names_the_key(model):
    config = json.loads((model / "config.json").read_text())
    config["generator"]["fmm_rnk"] = 3
    (model / "config.json").write_text(json.dumps(config))
    assert "fmm_rnk: unknown key. Did you mean 'fmm_rank'" in refusal(model)


def test_what_is_no_model(tmp_path):
    assert "no config.json" in refusal(tmp_path)
    assert "no such folder, and not the name of a Hub repository" in refusal(tmp_path / "nothing")
    assert "no such folder, and not the name of a Hub repository" in refusal("nothing")
