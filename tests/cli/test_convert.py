"""A snapshot becomes a model, and the model videos, by two commands."""

from __future__ import annotations

import json

from ..golden_files import GOLDEN
from .test_cli import inrvid


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
