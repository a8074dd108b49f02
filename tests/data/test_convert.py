"""Conversion to a zip of frames keeps frames, classes and rates."""

from __future__ import annotations

import io
import json
import tracemalloc
import zipfile

import numpy as np
import pytest
from PIL import Image

from inrvid.data.convert import convert
from inrvid.data.open import open_dataset
from inrvid.errors import DataError
from inrvid.registry import registry

from .making import moving, write_video
from .test_frames import write_frames


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


def test_frames_right_in_the_given_folder(tmp_path):
    write_frames(tmp_path / "my walk")
    assert convert(build("frames", tmp_path / "my walk"), tmp_path / "out.zip") == []
    with zipfile.ZipFile(tmp_path / "out.zip") as archive:
        assert archive.namelist()[0] == "000000_my-walk/000000.jpg"


def test_names_with_dots_and_names_that_are_no_text(tmp_path):
    for name in ("v.1", "v.2", "caf\udce9"):
        write_frames(tmp_path / "frames" / name)
    convert(build("frames", tmp_path / "frames"), tmp_path / "out.zip")
    with zipfile.ZipFile(tmp_path / "out.zip") as archive:
        folders = sorted({name.split("/")[0] for name in archive.namelist() if "/" in name})
    assert folders == ["000000_caf", "000001_v.1", "000002_v.2"]


def test_classes_that_are_no_text(tmp_path):
    for name in ("caf\udce9/a", "bar/b"):
        write_frames(tmp_path / "frames" / name)
    data = build("frames", tmp_path / "frames", labels=True)
    assert data.classes == ["bar", "caf\udce9"]
    assert len(data.fingerprint) == 64
    convert(data, tmp_path / "out.zip")
    assert build("zip", tmp_path / "out.zip", labels=True).classes == ["bar", "caf\\xe9"]


def test_a_video_that_breaks_in_its_midst_leaves_no_frames(tmp_path):
    for name in ("a", "b", "c"):
        write_frames(tmp_path / "frames" / name)
    data = build("frames", tmp_path / "frames")
    (tmp_path / "frames/b/frame11.png").write_bytes((tmp_path / "frames/b/frame11.png").read_bytes()[:60])
    (skipped,) = convert(data, tmp_path / "out.zip")
    assert (skipped.name, skipped.reason[:13]) == ("b", "frame11.png: ")
    with zipfile.ZipFile(tmp_path / "out.zip") as archive:
        assert {name.split("/")[0] for name in archive.namelist()} == {"000000_a", "000002_c", "dataset.json"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["frames", "out.zip"]


def test_frames_that_wait_in_a_file_are_the_same(root, monkeypatch):
    _, out = converted(root)
    first = out.read_bytes()
    monkeypatch.setattr("inrvid.data.convert.IN_MEMORY", 1)
    monkeypatch.setattr("inrvid.data.convert.PIECE", 1)
    converted(root)
    assert out.read_bytes() == first


def test_memory_does_not_grow_with_the_length(tmp_path, monkeypatch):
    monkeypatch.setattr("inrvid.data.convert.IN_MEMORY", 2**16)
    monkeypatch.setattr("inrvid.data.convert.PIECE", 2**16)
    peaks = []
    for count in (50, 400):
        path = write_video(tmp_path / str(count) / "a.mp4", [moving(number) for number in range(count)])
        data = build("videos", path.parent, resolution=64)
        tracemalloc.start()
        convert(data, tmp_path / "out.zip", "png")
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] - peaks[0] < 350 * 2048  # what zipfile keeps of each member; a frame is of 12288 bytes


def test_a_rate_that_no_data_set_can_have(root):
    data = build("videos", root, stride=5000, clip_length=1)
    with pytest.raises(DataError, match=r"frames a second(.|\n)*between 0\.01 and 10000"):
        convert(data, root.parent / "out.zip")


def test_what_is_read_or_another_s_is_not_replaced(tmp_path):
    root, out = tmp_path / "videos", tmp_path / "out.zip"
    write_video(root / "1.mp4", 5)
    dataset = open_dataset({"type": "videos", "path": str(root), "resolution": 16, "clip_length": 2})
    convert(dataset, out)
    convert(dataset, out)  # what was written so may be written anew
    before = out.read_bytes()
    of_zip = open_dataset({"type": "zip", "path": str(out), "resolution": 16, "clip_length": 2})
    with pytest.raises(DataError, match="is the data to be converted"):
        convert(of_zip, out)
    assert out.read_bytes() == before
    with zipfile.ZipFile(tmp_path / "theirs.zip", "w") as archive:
        archive.writestr("notes.txt", "mine")
    before = (tmp_path / "theirs.zip").read_bytes()
    with pytest.raises(DataError, match="exists, and is not a zip of frames: give another name"):
        convert(dataset, tmp_path / "theirs.zip")
    assert (tmp_path / "theirs.zip").read_bytes() == before
