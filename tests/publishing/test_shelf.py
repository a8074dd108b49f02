"""`hub/`: what is published loads as it stands, offline, and says what it is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
import yaml

from inrvid import InrvidError, VideoGenerator, load_recipe
from inrvid.evaluation.record import read_record
from inrvid.packages import missing
from inrvid.publishing.card import render
from inrvid.publishing.folder import is_packed

ROOT = Path(__file__).parent.parent.parent
MODELS = sorted(path for path in (ROOT / "hub").iterdir() if path.is_dir())
LARGEST = 4 * 2**20


def lacks(folder):
    """The package of one of the generator's parts that is not installed, if there is one."""
    providers = json.loads((folder / "config.json").read_text())["components"].values()
    return next(iter(sorted(missing({provider["package"] for provider in providers}))), None)


@pytest.mark.parametrize("folder", MODELS, ids=lambda path: path.name)
def test_a_published_model(folder):
    assert is_packed(folder)
    assert (folder / "model.safetensors").stat().st_size <= LARGEST
    if lacking := lacks(folder):
        with pytest.raises(InrvidError, match=f"of {lacking} .*pip install {lacking}"):
            VideoGenerator.from_pretrained(folder)
        pytest.skip(f"{lacking} is not installed: its own tests load this model")
    G = VideoGenerator.from_pretrained(folder)
    frames = G(G.sample_latents(1, seed=0), torch.tensor([[0.0, 8.0]]))
    assert (frames[:, 0] - frames[:, 1]).abs().max() > 0.1  # something moves
    recipe = yaml.safe_load((folder / "recipe.yaml").read_text())
    if not missing(recipe.get("requires", [])):  # else its discriminator, say, is of a package that is not installed
        assert load_recipe(folder / "recipe.yaml").generator.type == G.config["type"]
    record = read_record(folder / "evaluation.json")
    assert record.scores["fvd16"].error is not None
    assert (folder / "README.md").read_text() == render(folder)


def test_torch_hub_finds_them():
    name = MODELS[0].name
    G = torch.hub.load(str(ROOT), "generator", name, source="local")
    assert G.config == json.loads((MODELS[0] / "config.json").read_text())["generator"]
