"""`inrvid project` and `inrvid predict`, as a user meets them."""

from __future__ import annotations

import json

import pytest
from PIL import Image

from inrvid import Latents
from inrvid.applications.projection import unknowns
from inrvid.video_io import write_image, write_video

from ..applications.making import generator, own_frames
from .test_cli import inrvid

QUICK = ["--cpu", "--steps", "2"]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(unknowns, "SAMPLES", 50)
    monkeypatch.setenv("INRVID_CACHE", str(tmp_path / "cache"))
    G = generator("stylegan2", "conv1d")
    G.save_pretrained(tmp_path / "model")
    frames = own_frames(G, list(map(float, range(8))))
    write_video(tmp_path / "v", frames, 25)
    write_image(tmp_path / "p.png", frames[0])
    return tmp_path


def test_project(folder):
    done = inrvid("project", "model", "v", "--frames", "2-3", "-o", "o/l.safetensors", *QUICK, cwd=folder)
    assert done.stdout.startswith("o/l.safetensors: 2 frames: PSNR ")
    assert "projecting: 2 of 2 steps" in done.stderr
    assert sorted(path.name for path in (folder / "o").iterdir()) == ["l.png", "l.safetensors"]
    assert Latents.load(folder / "o" / "l.safetensors").ws is not None
    with Image.open(folder / "o" / "l.png") as picture:
        assert picture.height > 3 * 90


def test_numbers_for_programs(folder):
    done = inrvid("project", "model", "p.png", "-o", "l.safetensors", "--starts", "2", "--json", *QUICK, cwd=folder)
    numbers = json.loads(done.stdout)
    assert numbers["latents"] == "l.safetensors"
    assert len(numbers["distance"]["starts"]) == 2
    assert len(numbers["psnr"]) == 1


def test_predict(folder):
    done = inrvid("predict", "model", "v", "--given", "2,4", "-o", "o", *QUICK, cwd=folder)
    assert done.stdout.startswith("the model's video at the given frames: SSIM ")
    assert "backward: SSIM" in done.stdout
    assert "line of latents" in done.stdout
    names = ["beside.mp4", "latents.safetensors", "prediction.json", "prediction.mp4", "prediction.png"]
    assert sorted(path.name for path in (folder / "o").iterdir()) == names
    written = json.loads((folder / "o" / "prediction.json").read_text())
    assert written["places"] == ["backward", "backward", "between", "forward", "forward", "forward"]
    assert set(written["scores"]["line of latents"]) == {"between"}
    asked = ["--given", "2,4", "--predict", "3,9", "-o", "q", "--no-line", "--json"]
    done = inrvid("predict", "model", "v", *asked, *QUICK, cwd=folder)
    assert json.loads(done.stdout) == json.loads((folder / "q" / "prediction.json").read_text())
    assert json.loads(done.stdout)["known"] == [True, False]
    assert not (folder / "q" / "beside.mp4").exists()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["project", "model", "v", "-o", "l.png"], "expected a name that ends in .safetensors"),
        (["project", "model", "v", "-o", "l.safetensors", "--frames", "x"], "--frames x: expected numbers"),
        (["project", "model", "v", "-o", "l.safetensors", "--frames", "99"], "there are 0 … 7"),
        (["project", "model", "v", "-o", "l.safetensors", "--motion", "none"], "--motion: "),
        (["project", "model", "gone", "-o", "l.safetensors"], "gone: there is no such file or folder"),
        (["project", "model", "v", "-o", "l.safetensors", "--label", "1"], "this generator is unconditional"),
        (["project", "model", "p.png", "-o", "p.safetensors"], "p.png: would be written over, and belongs to p.png"),
        (["predict", "model", "p.png", "--given", "0", "-o", "o"], "a photograph has no other frames"),
        (["predict", "model", "v", "--given", "0-7", "--predict", "3", "-o", "o"], "some frames are given, and others"),
        (["predict", "model", "v", "--given", "1", "-o", "p.png"], "p.png: is a file"),
        (["predict", "model", "v", "--given", "1", "-o", "o", "--distance", "vgg"], "no distance 'vgg'"),
    ],
)
def test_refusals(folder, arguments, told):
    before = sorted(folder.iterdir())
    refused = inrvid(*arguments, *QUICK, cwd=folder, check=False)
    assert refused.returncode == 2
    assert told in refused.stderr
    assert "Traceback" not in refused.stderr
    assert sorted(path for path in folder.iterdir() if path.name != "cache") == [p for p in before if p.name != "cache"]
