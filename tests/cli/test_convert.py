"""A snapshot becomes a model, and the model videos, by two commands; or a program that needs no library."""

from __future__ import annotations

import json

import pytest
import torch

from inrvid import build_generator
from inrvid.models.program import RECORDS

from ..golden_files import GOLDEN
from ..small import small_generator
from .test_cli import inrvid, refusal


def test_a_snapshot_becomes_videos(tmp_path):
    told = inrvid("convert", GOLDEN / "stylegan_v_b.pkl", "model", cwd=tmp_path).stdout
    assert told.splitlines()[0] == "StyleGAN-V: stylegan2 with conv1d motion, 32x32, 6 classes, from G_ema"
    assert "model/discriminator: " in told
    next_ = told.splitlines()[-1].removeprefix("next: inrvid ")
    inrvid(*next_.replace("video.mp4", "frames").split(), "--frames", "3", cwd=tmp_path)
    assert len(list((tmp_path / "frames").iterdir())) == 3


def test_what_was_found_as_json(tmp_path):
    path = GOLDEN / "digan_a.pkl"
    told = json.loads(inrvid("convert", path, "model", "--set", "clip_length=128", "--json", cwd=tmp_path).stdout)
    assert told["assumed"] == {"clip_length": 128, "fps": 25.0}
    assert told["written"]["."]["folder"] == "model"
    assert {*told["written"]} == {".", "generator", "discriminator"}
    config = json.loads((tmp_path / "model" / "config.json").read_text())
    assert config["generator"]["clip_length"] == 128


def test_what_cannot_be_converted_costs_two_and_a_word(tmp_path):
    (tmp_path / "x.pkl").write_bytes(b"cos\nsystem\n(S'touch made'\ntR.")
    done = inrvid("convert", "x.pkl", "out", cwd=tmp_path, check=False)
    assert done.returncode == 2
    assert done.stderr == "x.pkl: it holds 'os.system': only networks, their weights and settings are read\n"
    assert [path.name for path in tmp_path.iterdir()] == ["x.pkl"]
    assert inrvid("convert", "nothing.pkl", "out", cwd=tmp_path, check=False).returncode == 2
    done = inrvid("convert", "x.pkl", "out", "--set", "clip_length", cwd=tmp_path, check=False)
    assert (done.returncode, done.stderr) == (2, "--set clip_length: expected KEY=VALUE\n")


@pytest.fixture
def model(tmp_path):
    keys = {"resolution": 4, "input_resolution": 4, "mapping_layers": 1}
    build_generator(small_generator("inr_gan", "static", **keys)).save_pretrained(tmp_path / "model")
    return tmp_path


def test_a_model_without_a_form_is_told_of_forms(model):
    (model / "a.pt2").write_text("an earlier one")
    for out in ("a.pt2", "new"):
        done = inrvid("convert", "model", out, cwd=model, check=False)
        assert done.returncode == 2
        assert done.stderr.endswith("a model becomes a program with --to export or --to torchscript\n")
    assert not (model / "new").exists()


@pytest.mark.skipif(torch.__version__ < RECORDS, reason="records sizes of the example")
def test_a_saved_model_becomes_a_program(model):
    assert inrvid("convert", "model", "a.pt", "--to", "torchscript", "--truncation", 0.5, cwd=model).stdout == "a.pt\n"
    frames = torch.jit.load(model / "a.pt")(torch.randn(2, 12), torch.zeros(2, 0), torch.zeros(2, 3))
    assert frames.shape == (2, 3, 3, 4, 4)


def test_what_it_cannot_do_is_told(model):
    assert "Did you mean 'export'" in refusal("convert", "model", "a.pt2", "--to", "exprt", cwd=model)
    assert "named *.pt2" in refusal("convert", "model", "a.bin", "--to", "export", cwd=model)
    assert "--truncation: needs --to export" in refusal("convert", "x.pkl", "a", "--truncation", 1, cwd=model)
    assert "--set: is for checkpoints" in refusal(
        "convert", "model", "a.pt", "--to", "torchscript", "--set", "fps=1", cwd=model
    )
    assert "no such folder" in refusal("convert", "nothing", "a.pt2", "--to", "export", cwd=model)
    assert [path.name for path in model.iterdir()] == ["model"]
