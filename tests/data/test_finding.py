"""Which files are videos, which are frames, which are left out, and what their classes are."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from inrvid.data.finding import VIDEOS, classes_by_folder, files_in
from inrvid.data.open import detect
from inrvid.errors import DataError
from inrvid.registry import registry

from .making import write_video
from .test_frames import write_frames

CONTAINERS = {
    ".mpg": "mpeg2video", ".mpeg": "mpeg1video", ".wmv": "wmv2", ".flv": "flv", ".ts": "libx264", ".m2ts": "libx264",
    ".mts": "libx264", ".ogv": "libvpx", ".3gp": "libx264",
}  # fmt: skip


@pytest.mark.parametrize("suffix", CONTAINERS)
def test_containers(tmp_path, suffix):
    muxer = {".mts": "ts", ".ogv": "ogg"}.get(suffix)
    source = write_video(tmp_path / "source" / f"a.{muxer or suffix[1:]}", 20, codec=CONTAINERS[suffix])
    source.rename(tmp_path / f"a{suffix}")
    data = registry("datasets").build({"type": detect(tmp_path), "path": str(tmp_path), "resolution": 16})
    assert [(record.name, record.frames) for record in data.records] == [(f"a{suffix}", 20)]
    assert data.read(0, [0, 19]).shape == (2, 16, 16, 3)


def test_tiff_frames(tmp_path):
    (tmp_path / "v").mkdir()
    for number in range(4):
        Image.new("RGB", (8, 8), (number, 0, 0)).save(tmp_path / "v" / f"{number}.tif{'f' * (number % 2)}")
    data = registry("datasets").build({"type": "frames", "path": str(tmp_path), "resolution": 8, "clip_length": 4})
    assert data.read(0, range(4))[:, 0, 0, 0].tolist() == [0, 1, 2, 3]


def test_previews_do_not_make_videos_of_frames(tmp_path):
    for name in ("a", "b"):
        write_frames(tmp_path / name)
    write_video(tmp_path / "preview.gif", 4, codec="gif", pixels="rgb8")
    assert detect(tmp_path) == "frames"
    data = registry("datasets").build({"type": "frames", "path": str(tmp_path), "resolution": 16, "clip_length": 4})
    assert "left out: 1 file of other kinds (.gif)" in data.summary()
    for name in ("a", "b"):
        write_video(tmp_path / name / "preview.mp4", 4)
    (tmp_path / "preview.gif").unlink()
    assert detect(tmp_path) == "frames"  # one beside the frames of each


def test_one_video_makes_videos(tmp_path):
    write_video(tmp_path / "c.mp4", 4)
    (tmp_path / "covers").mkdir()
    for i in range(3):
        (tmp_path / "covers" / f"{i}.png").touch()
    assert detect(tmp_path) == "videos"
    write_frames(tmp_path / "more")  # more videos than folders of pictures
    write_video(tmp_path / "d.mp4", 4)
    assert detect(tmp_path) == "videos"


def test_files_of_other_kinds_are_counted(tmp_path):
    write_video(tmp_path / "a.mp4", 20)
    for name in ("1.heic", "2.HEIC", "x.mxf", "notes.txt", "thumb.jpg"):
        (tmp_path / name).touch()
    data = registry("datasets").build({"type": "videos", "path": str(tmp_path)})
    assert dict(data.left_out) == {".heic": 2, ".mxf": 1}
    assert "left out: 3 files of other kinds (.heic, .mxf)" in data.summary()


def test_nothing_but_other_kinds(tmp_path):
    (tmp_path / "1.heic").touch()
    with pytest.raises(DataError, match=r"no data set found there(.|\n)*left out: 1 file of other kinds \(\.heic\)"):
        detect(tmp_path)
    with pytest.raises(DataError, match=r"no video files(.|\n)*left out: 1 file of other kinds \(\.heic\)"):
        registry("datasets").build({"type": "videos", "path": str(tmp_path)})


def test_classes_by_folder():
    assert classes_by_folder(["Run/x.mp4", "Walk/deep/y.mp4", "z.mp4"]) == {
        "Run/x.mp4": "Run", "Walk/deep/y.mp4": "Walk", "z.mp4": None,
    }  # fmt: skip


def test_splits_are_no_classes():
    assert classes_by_folder(["train/Run/x.mp4", "Test/Walk/y.mp4", "val/z.mp4"]) == {
        "train/Run/x.mp4": "Run", "Test/Walk/y.mp4": "Walk", "val/z.mp4": None,
    }  # fmt: skip
    assert classes_by_folder(["train/Run/x.mp4", "Walk/y.mp4"])["train/Run/x.mp4"] == "train"  # a class of that name


def test_classes_below_splits(tmp_path):
    for name in ("train/Run/a", "test/Walk/b"):
        write_frames(tmp_path / name)
    data = registry("datasets").build(
        {"type": "frames", "path": str(tmp_path), "resolution": 16, "clip_length": 4, "labels": True}
    )
    assert data.classes == ["Run", "Walk"]


def test_two_kinds_of_frames_in_one_folder(tmp_path):
    for name in ("a", "b"):
        write_frames(tmp_path / name)
    Image.new("RGB", (8, 8)).save(tmp_path / "b/frame8.jpg")
    data = registry("datasets").build({"type": "frames", "path": str(tmp_path), "resolution": 16, "clip_length": 4})
    assert [record.name for record in data.records] == ["a"]
    assert data.skipped[0].reason == "which are its frames: frame8.jpg or frame8.png? Remove one kind"


def test_samples_of_runs_and_models_are_no_data(tmp_path):
    for name in ("mine/a.mp4", "runs/x/samples/000.mp4", "runs/x/model/samples/1.mp4", "shelf/m/samples/2.mp4"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    for name in ("runs/x/recipe.yaml", "runs/x/metrics.jsonl", "shelf/m/config.json", "shelf/m/model.safetensors"):
        (tmp_path / name).touch()
    (tmp_path / "mine/recipe.yaml").touch()  # of a cook
    passed: list[Path] = []
    assert [file.relative_to(tmp_path).as_posix() for file in files_in(tmp_path, VIDEOS, passed)] == ["mine/a.mp4"]
    assert {folder.relative_to(tmp_path).as_posix() for folder in passed} == {"runs/x", "shelf/m"}
    assert [file.name for file in files_in(tmp_path / "runs/x/samples", VIDEOS)] == ["000.mp4"]  # asked for


@pytest.mark.parametrize("kind", ["videos", "frames"])
def test_samples_that_are_left_out_are_told(tmp_path, kind):
    for folder in ("mine", "runs/x/samples"):
        if kind == "videos":
            write_video(tmp_path / folder / "a.mp4")
        else:
            write_frames(tmp_path / folder / "a")
    for name in ("recipe.yaml", "metrics.jsonl"):
        (tmp_path / "runs/x" / name).touch()
    told = "left out: samples in 1 folder of runs or models"
    config = {"type": kind, "path": str(tmp_path), "resolution": 16, "clip_length": 4}
    data = registry("datasets").build(config)
    assert len(data) == 1
    assert f"{told} (runs/x)" in data.summary()
    with pytest.raises(DataError, match=f"{told} \\(.\\)"):  # of the run itself
        registry("datasets").build({**config, "path": str(tmp_path / "runs/x")})
    with pytest.raises(DataError, match=f"{told} \\(.\\)"):
        detect(tmp_path / "runs/x")
