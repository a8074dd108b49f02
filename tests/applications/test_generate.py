"""Requests, what they show, and the examples of the docstrings. What is written: tests/cli/test_generate.py."""

from __future__ import annotations

import inspect
import textwrap
from pathlib import Path

import numpy as np
import pytest
import torch

import inrvid.applications.generate
import inrvid.applications.interpolate
import inrvid.video_io.writers
from inrvid import InrvidError
from inrvid.applications.generate import Plan, Request, generate_videos
from inrvid.applications.model import open_model


def example(documented):
    """The indented block of a docstring."""
    lines = inspect.getdoc(documented).splitlines()
    first = next(i for i, line in enumerate(lines) if line.startswith("    ") and not lines[i - 1])
    last = next(i for i in range(first, len(lines)) if not lines[i])
    return textwrap.dedent("\n".join(lines[first:last]))


def test_examples(models, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "hub").symlink_to(Path(__file__).parent.parent.parent / "hub")
    G = open_model(models / "codes", cpu=True)
    exec(example(Request), dict(vars(inrvid.applications.generate)))
    assert Path("out.mp4").stat().st_size > 1000
    scope = {**vars(inrvid.applications.interpolate), "G": G}
    exec(example(inrvid.applications.interpolate.between) + "\nframes = way(0.5)(torch.arange(16))", scope)
    assert scope["frames"].shape == (1, 16, 3, 32, 32)
    pieces = [np.zeros((50, 32, 32, 3), np.uint8)] * 2
    exec(example(inrvid.video_io.writers.writing), {**vars(inrvid.video_io.writers), "some_at_a_time": pieces})


@pytest.mark.parametrize(
    ("asked", "files", "size"),
    [
        ({"videos": 5}, 5, (32, 32)),
        ({"videos": 5, "grid": True}, 1, (64, 96)),
        ({"videos": 5, "side_by_side": True}, 1, (32, 160)),
        ({"difference": True, "size": "16x48"}, 1, (16, 144)),
        ({"content_motion_grid": "2x5"}, 1, (64, 160)),
    ],
)
def test_files_and_sizes(models, asked, files, size):
    plan = Plan(open_model(models / "codes", cpu=True), Request.of(**asked))
    assert (len(plan), plan[0].size) == (files, size)
    assert plan[files - 1].draw(torch.zeros(1)).shape == (1, *size, 3)


def test_of_a_million_videos_none_is_drawn_before_its_turn(models, tmp_path):
    G = open_model(models / "codes", cpu=True)
    plan = Plan(G, Request.of(videos=10**6))
    assert np.array_equal(plan[999_999].draw(torch.zeros(1)), Plan(G, Request.of(seed=999_999))[0].draw(torch.zeros(1)))


def test_a_process_that_is_lost_is_said(models, tmp_path, monkeypatch):
    """Of which none can start here: what makes their scenes is broken."""
    monkeypatch.setattr("inrvid.applications.processes._start", exit)
    request = Request.of(frames=40, processes=2)
    with pytest.raises(InrvidError, match="--processes: one of them ended, or could not start"):
        list(generate_videos(models / "codes", tmp_path / "a.mp4", request, cpu=True))
    assert list(tmp_path.iterdir()) == []
