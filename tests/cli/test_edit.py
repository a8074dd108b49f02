"""`inrvid edit` and `inrvid analyze`, as a user meets them."""

from __future__ import annotations

import json
import sys

import numpy as np
import pytest
import torch
from PIL import Image

from inrvid import Latents, VideoGenerator, build_generator
from inrvid.applications import explore_page
from inrvid.applications.explore import Video

from ..small import small_generator
from .test_cli import frames, inrvid, refusal


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with two models in it, and directions of the first."""
    folder = tmp_path_factory.mktemp("edit")
    build_generator(small_generator("inr_gan", "global", label_dim=3), seed=1).save_pretrained(folder / "model")
    build_generator(small_generator("stylegan2", "static"), seed=2).save_pretrained(folder / "other")
    told = inrvid("edit", "find", "model", "-o", "d.safetensors", "--count", "3", "--cpu", cwd=folder).stdout
    assert told.startswith("style_1: closed form (spread), ")
    return folder


def test_directions_are_added_and_listed(place):
    (place / "t.csv").write_text("seed,bright\n1,0.5\n2,1\n3,0\n")
    inrvid("edit", "attribute", "model", "bright", "--csv", "t.csv", "-o", "d.safetensors", "--cpu", cwd=place)
    again = inrvid("edit", "attribute", "model", "bright", "--label", 2, "-o", "d.safetensors", "--cpu", cwd=place)
    assert "(in the place of an earlier one)" in again.stdout
    listed = inrvid("edit", "list", "d.safetensors", cwd=place).stdout.splitlines()
    assert [line.split()[0] for line in listed] == ["style_1", "style_2", "style_3", "bright"]
    assert "class 2 against all classes" in listed[3]


def test_they_are_shown_and_applied(place):
    inrvid("edit", "show", "model", "d.safetensors", "-o", "s.png", "--names", "style_2", "--seed", 4, cwd=place)
    with Image.open(place / "s.png") as picture:
        assert picture.width > 7 * 128
    step = ["edit", "apply", "model", "d.safetensors", "style_1=2", "style_3=-1.5", "--seed", 4]
    inrvid(*step, "--beside", "--frames", 20, "-o", "video", cwd=place)
    inrvid(*step, "--motion-seed", 9, "--frames", 20, "-o", "fresh", cwd=place)
    inrvid(*step, "--motion-seed", 9, "-o", "l.safetensors", cwd=place)
    inrvid("generate", "model", "--seed", 4, "--frames", 20, "-o", "plain", cwd=place)
    video, plain, fresh = (frames(place / name) for name in ("video", "plain", "fresh"))
    np.testing.assert_array_equal(video[:, :, :32], plain)
    assert not np.array_equal(video[:, :, 32:], plain)
    assert not np.array_equal(video[:, :, 32:], fresh)
    G = VideoGenerator.from_pretrained(place / "model")
    edited = Latents.load(place / "l.safetensors")
    assert torch.equal(edited.motion, G.sample_latents(1, seed=9).motion)
    back = ["edit", "apply", "model", "d.safetensors", "style_1=-2", "style_3=1.5", "--latents", "l.safetensors"]
    inrvid(*back, "--motion-seed", 4, "--frames", 20, "-o", "back", cwd=place)
    assert np.abs(frames(place / "back").astype(int) - plain).max() <= 1


def test_they_are_applied_at_any_size_rate_and_place(place):
    """Nothing changed, it is the video that `generate` draws with these options."""
    options = ["--size", 16, "--zoom-out", 1.5, "--enlarge", 2, "--slow", 2, "--start", -1, "--frames", 3]
    inrvid("edit", "apply", "model", "d.safetensors", "style_1=0", *options, "-o", "drawn", cwd=place)
    inrvid("generate", "model", *options, "-o", "as", cwd=place)
    drawn = frames(place / "drawn")
    assert drawn.shape == (3, 32, 32, 3)
    assert np.abs(drawn.astype(int) - frames(place / "as")).max() <= 1


def test_explore_has_a_slider_for_each(place, monkeypatch):
    seen = []
    monkeypatch.setattr(explore_page, "serve", lambda explorer, *rest, **options: seen.append(explorer))
    inrvid("explore", "model", "--directions", "d.safetensors", "--cpu", cwd=place)
    (explorer,) = seen
    assert list(explorer.directions)[:3] == ["style_1", "style_2", "style_3"]
    before, after = (explorer.picture(Video(directions=d), 2.0) for d in ((), (("style_1", 2.0),)))
    assert not np.array_equal(before, after)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ("find other -o d.safetensors", "d.safetensors: directions of another model"),
        ("find model -o d.pt", "-o d.pt: directions are written as .safetensors"),
        ("find model -o n.safetensors --length long", "--length long: expected one of spread, unit"),
        ("find model -o n.safetensors --count 99", "99 directions: this model has 1 to 12"),
        ("attribute model x -o n.safetensors", "--csv FILE, or --label N"),
        ("attribute other x --label 1 -o n.safetensors", "unconditional"),
        ("attribute model ../x --label 1 -o n.safetensors", "a name is of letters"),
        ("apply model d.safetensors style_9=1 -o n.mp4", "no direction named 'style_9'"),
        ("apply model d.safetensors style_1 -o n.mp4", "style_1: expected NAME=STRENGTH"),
        ("apply model d.safetensors style_1=nan -o n.mp4", "style_1=nan: expected NAME=STRENGTH"),
        ("apply model d.safetensors style_1=1 --frames 0 -o n.mp4", "greater than or equal to 1"),
        ("apply model d.safetensors style_1=1 --latents none -o n.mp4", "none: cannot be read"),
        ("apply model d.safetensors style_1=1 --size 8192 --enlarge 64 -o n", "need"),
        ("attribute none ../x --label 1 -o n.safetensors", "a name is of letters"),
        ("apply model d.safetensors style_1=1 --index 1 -o n.mp4", "--index: the number of a video in a file"),
        ("apply model d.safetensors style_1=1 --seed 0 --latents l -o n.mp4", "--seed and --latents: give one"),
        ("apply model d.safetensors style_1=1 -o n.txt", "-o n.txt: a video"),
        ("apply model d.safetensors style_1=1 --size 2x8192 --enlarge 3 -o n.mp4", "frames of 6x24576: .mp4 holds"),
        ("apply model d.safetensors style_1=1 --slow 2 -o n.safetensors", "--slow: only for a video"),
        ("apply model d.safetensors style_1=1 --beside -o n.safetensors", "--beside: only for a video"),
        ("apply model d.safetensors style_1=1 --crf 9 -o n.safetensors", "--crf: only for a video"),
        ("apply none d.safetensors style_1=1 -o n.mp4", "none: no such folder"),
        ("show model d.safetensors --strengths 1,x -o n.png", "--strengths: 'x' is no number"),
        ("show model d.safetensors -o n.gif", "expected a name that ends in .png"),
        ("list model/config.json", "not a file of directions"),
    ],
)
def test_what_cannot_be_is_one_line(place, arguments, told):
    assert told in refusal("edit", *arguments.split(), cwd=place)
    assert not list(place.glob("n.*"))


def test_without_open_clip_it_says_what_to_install(place, monkeypatch):
    monkeypatch.setitem(sys.modules, "open_clip", None)
    told = refusal("edit", "text", "model", "a red sky", "-o", "n.safetensors", cwd=place)
    assert told.strip().endswith("pip install 'inrvid[edit]'")


def test_analyses_are_a_page(place):
    asked = ["analyze", "model", "--frames", 18, "--videos", 2, "-o", "page", "--cpu"]
    done = inrvid(*asked, "--only", "motion,cycles,slices", cwd=place)
    assert done.stdout.splitlines()[-1] == "page/index.html"
    assert done.stderr.splitlines() == [
        "cycles: this model's motion has no positional encoding of time: there is no cycle to plot"
    ]
    data = json.loads((place / "page" / "analysis.json").read_text())
    assert [key for key in data if isinstance(data[key], dict)] == ["motion", "slices"]
    assert (place / "page" / "slices_x-t.png").exists()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ("model -o n.new --only cycles", "nothing of what was asked for is possible: cycles: this model's motion"),
        ("model -o n.new --only gradients", "no discriminator beside this model"),
        ("model -o n.new --only gradient", "Did you mean 'gradients'?"),
        ("model -o n.new --videos 1", "--videos: should be greater"),
        ("model -o d.safetensors --only slices", "a file: give the name of a folder"),
    ],
)
def test_analyses_that_cannot_be_are_one_line(place, arguments, told):
    assert told in refusal("analyze", *arguments.split(), cwd=place)
    assert not list(place.glob("n.*"))
