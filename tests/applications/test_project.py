"""Projecting files: the latents that are written give the frames that are told, and nothing is half written."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from inrvid import InrvidError, Latents
from inrvid.applications.project import project, project_file
from inrvid.applications.projection import unknowns
from inrvid.applications.projection.search import SearchOptions
from inrvid.report.projection import write_projection
from inrvid.video_io import to_uint8, write_image, write_video

from .making import generator, own_frames


@pytest.fixture(autouse=True)
def few(tmp_path, monkeypatch):
    monkeypatch.setattr(unknowns, "SAMPLES", 50)
    monkeypatch.setenv("INRVID_CACHE", str(tmp_path / "cache"))


def test_the_example():
    """The one of `project`'s docstring."""
    G = generator()
    found = project(G, own_frames(G, [6.0, 7.0, 8.0]), [6, 7, 8], SearchOptions.of(steps=3))
    with torch.no_grad():
        video = G.inr(found.latents)(torch.arange(16.0))
    assert np.array_equal(to_uint8(video)[0, 6:9], found.drawn)
    assert found.latents.ws.shape == (1, G.num_ws, 12)
    assert len(found.psnr) == 3


def test_of_a_video(tmp_path):
    """Frames are counted from `first`; times follow from rates; the file is what was found."""
    G = generator("stylegan2", "conv1d")
    G.save_pretrained(tmp_path / "model")
    frames = own_frames(G, list(map(float, range(8))))
    write_video(tmp_path / "v.mp4", frames.repeat(2, axis=0), 50)
    said, output = [], tmp_path / "p.safetensors"
    options = SearchOptions.of(steps=4, starts=2)
    found = project_file(
        tmp_path / "model", tmp_path / "v.mp4", output, options, frames=[2, 4], first=2, cpu=True, said=said.append
    )
    assert found.times == [1, 2]
    assert len(found.distances) == 2
    with torch.no_grad():
        assert np.array_equal(to_uint8(G.inr(Latents.load(output))(torch.tensor([1.0, 2.0])))[0], found.drawn)
    assert sorted(path.name for path in tmp_path.glob("p.*")) == ["p.safetensors"]
    assert "2 frames; distance: pixels" in said[0]
    assert "inrvid detectors fetch vgg16" in said[0]
    numbers = found.numbers()
    assert numbers["distance"]["best"] == min(numbers["distance"]["starts"])


def test_times_are_those_of_their_frames(tmp_path):
    """In the order in which both are given."""
    G = generator("stylegan2", "conv1d")
    G.save_pretrained(tmp_path / "model")
    write_video(tmp_path / "v", own_frames(G, list(map(float, range(8)))), 25)
    model, video, output = tmp_path / "model", tmp_path / "v", tmp_path / "p.safetensors"
    found = project_file(model, video, output, SearchOptions.of(steps=1), frames=[6, 2], times=[0.0, 5.0], cpu=True)
    assert found.times == [0, 5]
    assert np.array_equal(found.target, own_frames(G, [6.0, 2.0]))
    with torch.no_grad():
        video = G.inr(found.latents)
        assert np.array_equal(found.drawn[1], to_uint8(video(5.0))[0, 0])
    write_projection(found, tmp_path / "p.png")
    backwards = project_file(model, tmp_path / "v", output, SearchOptions.of(steps=1), frames=[6, 2], cpu=True)
    assert backwards.times == [6, 2]


def test_of_a_photograph_motion_stays(tmp_path):
    G = generator()
    G.save_pretrained(tmp_path / "model")
    write_image(tmp_path / "p.png", own_frames(G, [0.0])[0])
    found = project_file(
        tmp_path / "model", tmp_path / "p.png", tmp_path / "p.safetensors", SearchOptions.of(steps=2), cpu=True
    )
    assert found.times == [0]
    assert torch.equal(found.latents.motion, G.sample_latents(1, seed=0).motion)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"frames": [9]}, "there are 0 … 7"),
        ({"frames": [1, 2], "times": [1.0]}, "1 times of 2 frames"),
        ({"distance": "vgg16"}, "inrvid detectors fetch vgg16"),
        ({"output": "p.png"}, "expected a name that ends in .safetensors"),
    ],
)
def test_refusals_write_nothing(tmp_path, options, told):
    G = generator()
    G.save_pretrained(tmp_path / "model")
    write_video(tmp_path / "v", own_frames(G, list(map(float, range(8)))), 25)
    output = tmp_path / "out" / options.pop("output", "p.safetensors")
    with pytest.raises(InrvidError, match=told):
        project_file(tmp_path / "model", tmp_path / "v", output, SearchOptions.of(steps=1), cpu=True, **options)
    assert not output.parent.exists()


def test_options_are_named():
    with pytest.raises(InrvidError, match="--space: "):
        SearchOptions.of(space="z")
    with pytest.raises(InrvidError, match="--learning-rate: "):
        SearchOptions.of(learning_rate=0.0)
