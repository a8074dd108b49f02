"""`inrvid generate` beyond its basics (those: test_cli)."""

from __future__ import annotations

import re
import sys

import numpy as np
import pytest
from PIL import Image

from inrvid import build_generator

from ..applications.conftest import models  # noqa: F401  (a fixture)
from ..small import small_generator
from ..stress.kill_generate import command, killed
from .test_cli import frames, inrvid, refusal


@pytest.fixture
def generate(models, tmp_path):  # noqa: F811
    """Frames of what a command with these options writes, a folder if `output` is none else."""

    def call(model, *options, output="out", check=True):
        inrvid("generate", models / model, "-o", output, "--cpu", *options, cwd=tmp_path, check=check)
        return frames(tmp_path / output) if "." not in output else tmp_path / output

    return call


def test_arrangements_hold_the_videos(generate):
    few = ["--frames", 3, "--label", 1]
    first, second = (generate("coordinates", "--seed", seed, *few, output=f"seed{seed}") for seed in (0, 1))
    row = generate("coordinates", "--videos", 2, "--side-by-side", *few, output="row")
    assert np.array_equal(row, np.concatenate([first, second], axis=2))
    compared = generate("coordinates", "--difference", *few, output="compared")
    own, other, difference = np.split(compared, 3, axis=2)
    assert np.array_equal(own, first)
    assert np.array_equal(difference, np.abs(own.astype(int) - other))
    assert np.array_equal(own[0], other[0])  # of this model at time 0 the motion is none
    assert difference[2].max() > 5
    table = generate("coordinates", "--content-motion-grid", "2x3", *few, output="table")
    rows = np.split(table, 2, axis=1)
    cells = [np.split(row, 3, axis=2) for row in rows]
    assert np.array_equal(cells[0][0], first)
    assert np.array_equal(cells[0][1], other)
    assert np.array_equal(cells[1][1], second)


def test_videos_of_one_content(generate, tmp_path):
    inrvid_ = generate("codes", "--videos", 3, "--same-content", "--side-by-side", "--frames", 2, output="row")
    cells = np.split(inrvid_, 3, axis=2)
    assert np.array_equal(cells[0], generate("codes", "--frames", 2, output="alone"))
    assert not np.array_equal(cells[1], cells[2])


def test_pixels_are_enlarged(generate):
    small = generate("codes", "--frames", 2, output="small")
    large = generate("codes", "--frames", 2, "--enlarge", 3, output="large")
    assert np.array_equal(large, small.repeat(3, axis=1).repeat(3, axis=2))


def test_chosen_seeds(generate):
    row = generate("codes", "--seeds", "7,2-3", "--side-by-side", "--frames", 2, output="row")
    for cell, seed in zip(np.split(row, 3, axis=2), (7, 2, 3), strict=True):
        assert np.array_equal(cell, generate("codes", "--seed", seed, "--frames", 2, output=f"seed{seed}"))


def test_latents_are_kept_and_taken(generate, tmp_path):
    first = generate("codes", "--seed", 7, "--save-latents", tmp_path / "a.safetensors", output="first")
    again = generate("codes", "--latents", tmp_path / "a.safetensors", output="again")
    assert np.array_equal(first, again)


def test_latents_do_not_replace_a_video(models, tmp_path):  # noqa: F811
    (tmp_path / "mine.mp4").write_bytes(b"mine")
    told = refusal("generate", models / "codes", "-o", "out.mp4", "--save-latents", "mine.mp4", "--cpu", cwd=tmp_path)
    assert told == "--save-latents mine.mp4: latents are written as .safetensors\n"
    assert (tmp_path / "mine.mp4").read_bytes() == b"mine"


def test_a_class_by_its_name(generate):
    assert np.array_equal(
        generate("coordinates", "--label", "cats", output="name"),
        generate("coordinates", "--label", 1, output="number"),
    )


def test_slow_motion_and_stride(generate):
    usual = generate("codes", "--frames", 9, output="usual")
    assert np.array_equal(generate("codes", "--frames", 3, "--stride", 4, output="fast"), usual[::4])
    assert np.array_equal(generate("codes", "--frames", 9, "--slow", 2, output="slow")[::2], usual[:5])


def test_several_processes_write_the_same_file(generate):
    more = ["--frames", 150, "--start", 1000, "--lossless"]
    alone = generate("convolutions", *more, output="alone.mp4").read_bytes()
    assert generate("convolutions", *more, "--processes", 2, output="two.mp4").read_bytes() == alone


def test_progress_is_said_on_standard_error(models, tmp_path, monkeypatch):  # noqa: F811
    monkeypatch.setattr("inrvid.cli.progress.SECONDS", 0.0)
    told = inrvid("generate", models / "codes", "-o", "a.mp4", "--frames", 32, "--cpu", cwd=tmp_path)
    assert told.stdout == "a.mp4\n"
    assert re.fullmatch(r"a\.mp4: 16 of 32 frames, \d+ s left", told.stderr.splitlines()[0])


def test_what_does_not_fit_in_memory_is_refused(models, tmp_path, monkeypatch):  # noqa: F811
    monkeypatch.setattr("psutil.virtual_memory", lambda: type("Memory", (), {"available": 1 << 20}))
    asked = ["generate", models / "codes", "-o", "a.mp4", "--size", 512]
    assert "2 frames of 512x512 at a time need" in refusal(*asked, cwd=tmp_path)


@pytest.mark.parametrize(
    ("model", "options", "told"),
    [
        ("convolutions", ["--size", "64"], "stylegan2 draws only the whole frame, at 32x32"),
        ("convolutions", ["--zoom-out", "1.5"], "stylegan2 draws only the whole frame, at 32x32"),
        ("codes", ["--region", "0,0,1"], "--region 0,0,1: expected x0,y0,x1,y1"),
        ("codes", ["--grid", "--side-by-side"], "--grid and --side-by-side: give one of them"),
        ("codes", ["--difference", "--videos", "2"], "--difference chooses the videos"),
        ("codes", ["--same-motion"], "--same-motion: needs several videos: give --videos N"),
        ("codes", ["--content-motion-grid", "4"], None),
        ("codes", ["--content-motion-grid", "99x99"], "--content-motion-grid 99x99: expected ROWSxCOLUMNS"),
        ("codes", ["--videos", "2000", "--grid"], "2000 videos in one picture: at most 1024"),
        ("coordinates", ["--label", "bird"], "--label bird: no class of that name."),
        ("codes", ["--label", "dogs"], "--label dogs: this generator is unconditional"),
        ("codes", ["--latents", "none.safetensors"], "none.safetensors: cannot be read: No such file"),
        ("codes", ["--crf", "60"], "a.mp4: crf 60: an mp4's goes up to 51"),
        ("codes", ["-o", "a.gif", "--fps", "60", "--save-latents", "kept.safetensors"], "go up to 50: give --fps 50"),
        ("codes", ["-o", "a.png", "--frames", "2", "--save-latents", "kept.safetensors"], "holds one frame, not 2"),
        ("codes", ["--size", "2x8192", "--enlarge", "3", "--save-latents", "kept.safetensors"], "holds up to 16384"),
        ("codes", ["--crf", "64"], "--crf: should be less than or equal to 63, got 64"),
        ("codes", ["--pictures", "bmp"], "--pictures: should be 'png' or 'jpg'"),
        ("codes", ["--slow", "0"], "--slow: should be greater than 0"),
        ("codes", ["--processes", "300"], "--processes: should be less than or equal to 256"),
    ],
)
def test_refusals(models, tmp_path, model, options, told):  # noqa: F811
    asked = ["generate", models / model, "-o", "a.mp4", "--frames", 1, *options]
    if told is None:
        assert inrvid(*asked, cwd=tmp_path).returncode == 0
        return
    message = refusal(*asked, cwd=tmp_path)
    assert told in message
    assert len(message.splitlines()) <= 2
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="kills a process group")
def test_a_killed_one_leaves_what_was_there(tmp_path):
    """The long trial: tests/stress/kill_generate.py."""
    build_generator(small_generator("stylegan2", "conv1d")).save_pretrained(tmp_path / "model")
    place = tmp_path / "here"
    place.mkdir()
    (place / "a.mp4").write_bytes(b"old")
    assert not killed(command(tmp_path / "model", place / "a.mp4", 0, 100_000), 0.3, place)
    assert (place / "a.mp4").read_bytes() == b"old"
    assert len(list(place.iterdir())) == 2
    inrvid("generate", tmp_path / "model", "-o", place / "a.mp4", "--frames", 2, "--cpu", cwd=tmp_path)
    assert [path.name for path in place.iterdir()] == ["a.mp4"]


def test_a_picture_of_a_wider_region(generate):
    """Its middle is the frame, its sides are as many points as the model would have there."""
    usual = generate("codes", "--frames", 1, output="usual")
    wide = generate("codes", "--frames", 1, "--zoom-out", 1.5, "--pictures", "jpg", output="wide")
    assert wide.shape == (1, 48, 48, 3)
    assert np.abs(wide[:, 8:40, 8:40].astype(int) - usual).mean() < 4


def test_webm_and_npz(generate):
    assert generate("codes", "--frames", 2, output="a.webm").stat().st_size > 100
    with np.load(generate("codes", "--frames", 2, output="a.npz")) as arrays:
        assert np.array_equal(arrays["frames"], generate("codes", "--frames", 2, output="pictures"))
    with Image.open(generate("codes", "--frames", 2, output="a.gif")) as gif:
        assert gif.n_frames == 2
