"""`inrvid evaluate --traps`, as a user meets it."""

from __future__ import annotations

import json

import pytest

from inrvid.registry import registry
from inrvid.video_io import write_video

from .test_cli import inrvid


@pytest.fixture
def videos(tmp_path, monkeypatch):
    monkeypatch.setenv("INRVID_CACHE", str(tmp_path / "cache"))
    data = registry("datasets").build({"type": "procedural", "resolution": 32, "videos": 12, "frames": 20})
    for video in range(len(data)):
        write_video(tmp_path / "videos" / f"{video:02d}.mp4", data.read(video, range(20)), fps=25)
    return tmp_path


REAL = ["--against", "procedural", "--data", "split=test", "--data", "frames=40", "--data", "videos=20", "--cpu"]


def test_table_chart_and_json(videos):
    arguments = ["evaluate", "videos", *REAL, "--traps", "--metrics", "statistics", "--force"]
    shown = inrvid(*arguments, "-o", "traps.html", cwd=videos).stdout
    assert "still images" in shown
    assert "stride 8: not scored: procedural: 0 clips of 16 frames" in shown
    assert "<svg" in (videos / "traps.html").read_text()
    found = json.loads(inrvid(*arguments, "--json", cwd=videos).stdout)
    assert found["inrvid_traps"] == 1
    assert found["rows"][0]["clips"] == {"16 frames": [20, 12]}


def test_metrics_that_are_set_are_used(videos):
    metrics = "metrics=[{type: kvd, detector: {type: statistics}}]"
    shown = inrvid("evaluate", "videos", *REAL, "--traps", "--set", metrics, "--force", cwd=videos).stdout
    assert "kvd/temporal" in shown


def test_a_chart_of_another_kind_is_refused_before_anything_is_computed(videos):
    found = inrvid("evaluate", "nothing-there", "--traps", "-o", "traps.pdf", cwd=videos, check=False)
    assert found.returncode
    assert "traps.pdf: expected a name that ends in .html or .png or .json" in found.stderr
