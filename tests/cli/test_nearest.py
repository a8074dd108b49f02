"""`inrvid evaluate --nearest`, as a user meets it."""

from __future__ import annotations

import shutil

import pytest
from PIL import Image

from inrvid import build_generator
from inrvid.registry import registry
from inrvid.video_io import write_video

from ..small import small_generator
from .test_cli import inrvid

ASKED = ["--metrics", "statistics", "--force", "--cpu"]


@pytest.fixture
def folders(tmp_path, monkeypatch):
    monkeypatch.setenv("INRVID_CACHE", str(tmp_path / "cache"))
    for name, split, count in (("real", "train", 12), ("fake", "test", 10)):
        data = registry("datasets").build(
            {"type": "procedural", "resolution": 32, "split": split, "videos": count, "frames": 16, "clip_length": 2}
        )
        for video in range(count):
            write_video(tmp_path / name / f"{video:02d}.mp4", data.read(video, range(16)), fps=25)
    shutil.copy(tmp_path / "real" / "04.mp4", tmp_path / "fake" / "copy.mp4")
    return tmp_path


def test_a_copy_is_told_and_drawn_and_the_record_written(folders):
    done = inrvid("evaluate", "fake", "--against", "real", *ASKED, "--nearest", "n.png", "-o", "r.json", cwd=folders)
    assert "n.png: the 8 clips nearest to a real one, at 0.000 … " in done.stdout
    assert (folders / "r.json").exists()
    with Image.open(folders / "n.png") as picture:
        assert picture.height > 8 * 2 * 128


def test_of_a_model(folders):
    build_generator(small_generator("inr_gan", "global")).save_pretrained(folders / "model")
    asked = ["evaluate", "model", "--against", "real", *ASKED, "--any-rate", "--set", "clips=4"]
    done = inrvid(*asked, "--nearest", "n.png", "--json", cwd=folders)
    assert done.stdout.rstrip().endswith("}")
    assert (folders / "n.png").exists()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--nearest", "n.pdf"], "n.pdf: expected a name that ends in .png"),
        (["--nearest", "n.png", "--traps"], "--nearest goes with scores"),
        (["--nearest", "n.png", "--leaderboard"], "--leaderboard compares existing records"),
    ],
)
def test_what_it_does_not_go_with_is_refused_at_once(tmp_path, arguments, told):
    refused = inrvid("evaluate", "nothing-there", *arguments, cwd=tmp_path, check=False)
    assert refused.returncode == 2
    assert told in refused.stderr
