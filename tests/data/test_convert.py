"""Conversion to a zip of frames keeps frames, classes and rates."""

from __future__ import annotations

import io
import json
import zipfile

import numpy as np
import pytest
from PIL import Image

from inrvid.data.convert import convert
from inrvid.errors import DataError
from inrvid.registry import registry

from .making import moving, write_video


@pytest.fixture
def root(tmp_path):
    for name, fps in {"dogs/big one": 25, "dogs/2": 25, "cats/3": 10}.items():
        write_video(tmp_path / "videos" / f"{name}.mp4", [moving(number) for number in range(6)], fps=fps)
    return tmp_path / "videos"


def build(kind, path, **config):
    return registry("datasets").build({"type": kind, "path": str(path), "resolution": 32, "clip_length": 4, **config})


def converted(root, format="png", **config):
    data, out = build("videos", root, **config), root.parent / "out.zip"
    assert convert(data, out, format) == []
    return data, out


def test_png_is_lossless(root):
    data, out = converted(root)
    back = build("zip", out)
    assert len(back) == len(data) == 3
    for video in range(3):
        assert np.array_equal(back.read(video, range(6)), data.read(video, range(6)))


def test_classes_and_rates_come_back(root):
    data, out = converted(root, labels=True)
    back = build("zip", out, labels=True)
    assert back.classes == data.classes == ["cats", "dogs"]
    assert [back.label(video) for video in range(3)] == [data.label(video) for video in range(3)]
    assert [record.fps for record in back.records] == [10, 25, 25]


def test_what_is_written_is_at_the_models_rate(root):
    _, out = converted(root, fps=5, clip_length=1)
    back = build("zip", out, clip_length=1)
    assert [(record.frames, record.fps) for record in back.records] == [(3, 5), (1, 5), (1, 5)]


def test_dataset_json_without_classes(root):
    _, out = converted(root, fps=5, clip_length=1)
    with zipfile.ZipFile(out) as archive:
        assert json.loads(archive.read("dataset.json")) == {"labels": None, "classes": [], "fps": 5}


def test_jpeg_is_of_the_quality_asked_for(root):
    data, out = build("videos", root), root.parent / "out.zip"
    for quality in (95, 60):
        convert(data, out, "jpeg", quality)
        expected = io.BytesIO()
        Image.new("RGB", (32, 32)).save(expected, "jpeg", quality=quality)
        with zipfile.ZipFile(out) as archive:
            name = next(name for name in archive.namelist() if name.endswith(".jpg"))
            written = Image.open(io.BytesIO(archive.read(name)))
        assert written.quantization == Image.open(expected).quantization
        assert [layer[1:3] for layer in written.layer] == [(1, 1)] * 3  # colours at full resolution
    back = build("zip", out)
    assert np.abs(back.read(0, [0]).astype(int) - data.read(0, [0])).mean() < 12


def test_the_same_videos_give_the_same_file(root):
    _, out = converted(root)
    first = out.read_bytes()
    converted(root)
    assert out.read_bytes() == first


def test_a_video_that_breaks_is_left_out_and_named(root):
    data, out = build("videos", root, labels=True), root.parent / "out.zip"
    (root / "dogs/2.mp4").write_text("gone")
    (skipped,) = convert(data, out)
    assert skipped.name == "dogs/2.mp4"
    assert len(build("zip", out, labels=True)) == 2


def test_nothing_is_written_when_it_fails(root):
    data, out = build("videos", root), root.parent / "out.zip"
    strict = build("videos", root, on_error="fail")
    for file in root.rglob("*.mp4"):
        file.write_text("gone")
    for dataset, match in ((data, "none of its videos"), (strict, r"\.mp4: not a video")):
        with pytest.raises(DataError, match=match):
            convert(dataset, out)
    assert [path.name for path in root.parent.iterdir()] == ["videos"]
