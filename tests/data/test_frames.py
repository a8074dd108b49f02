"""Frame folders and zips of them: order of frames, classes, broken pictures, worker processes."""

from __future__ import annotations

import json
import pickle
import zipfile

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import DataLoader

from inrvid.data.sources.frames import natural
from inrvid.errors import DataError
from inrvid.registry import registry

from .making import level, picture


def write_frames(folder, count=6):
    folder.mkdir(parents=True)
    for number in range(count):
        Image.fromarray(picture(number, 16, 16)).save(folder / f"frame{number + 7}.png")  # 7, 8, …, 10, 11


def zipped(folder, out, prefix=""):
    with zipfile.ZipFile(out, "w") as archive:
        for file in sorted(folder.rglob("*")):
            archive.write(file, prefix + file.relative_to(folder).as_posix())
    return out


@pytest.fixture
def root(tmp_path):
    for name in ("walk/v2", "walk/v10", "run/v1"):
        write_frames(tmp_path / "frames" / name)
    return tmp_path / "frames"


@pytest.fixture(params=["frames", "zip", "zip with a top folder"])
def source(request, root):
    """Builds the data set from what is in `root` at that time."""

    def build(**config):
        kind, _, top = request.param.partition(" ")
        path = zipped(root, root.parent / "a.zip", "top/" if top else "") if kind == "zip" else root
        return registry("datasets").build(
            {"type": kind, "path": str(path), "resolution": 16, "clip_length": 4, **config}
        )

    return build


def test_natural_order():
    names = ["f10", "f9", "f1", "g1", "f2b", "f2", "2", "10"]
    assert sorted(names, key=natural) == ["2", "10", "f1", "f2", "f2b", "f9", "f10", "g1"]


def test_each_folder_is_a_video(source):
    data = source(source_fps=12.5)
    assert [record.name for record in data.records] == ["run/v1", "walk/v2", "walk/v10"]
    assert [(r.frames, r.fps, r.width, r.height) for r in data.records] == [(6, 12.5, 16, 16)] * 3
    pictures = data.read(1, [5, 0, 3, 0])
    assert pictures[:, 0, 0, 0].tolist() == [level(5), level(0), level(3), level(0)]


def test_classes_from_folders(source):
    data = source(labels=True)
    assert data.classes == ["run", "walk"]
    assert [data.label(video) for video in range(3)] == [0, 1, 1]


@pytest.mark.parametrize("suffix", ["", "/frame7.png"], ids=["by folder", "by first frame"])
def test_classes_from_dataset_json(source, root, suffix):
    labels = [[f"run/v1{suffix}", 2], [f"walk/v2{suffix}", 0], [f"walk/v10{suffix}", 2]]
    (root / "dataset.json").write_text(json.dumps({"labels": labels}))
    data = source(labels=True)
    assert data.classes == ["0", "1", "2"]
    assert [data.label(video) for video in range(3)] == [2, 0, 2]


def test_null_labels_are_none(source, root):
    (root / "dataset.json").write_text('{"labels": null}')
    assert source(labels=True).classes == ["run", "walk"]


@pytest.mark.parametrize("content", ["{", '{"labels": [["run/v1"]]}', '{"labels": {"run/v1": "x"}}', '{"fps": -1}'])
def test_a_wrong_dataset_json(source, root, content):
    (root / "dataset.json").write_text(content)
    with pytest.raises(DataError, match=r"dataset\.json: "):
        source(labels=True)


def test_no_classes(tmp_path):
    write_frames(tmp_path / "v1")
    with pytest.raises(DataError, match=r"no classes found. Looked for dataset\.json"):
        registry("datasets").build({"type": "frames", "path": str(tmp_path), "labels": True, "clip_length": 4})


def test_rates_in_dataset_json(source, root):
    (root / "dataset.json").write_text(json.dumps({"fps": {"run/v1": 10, "walk/v2": 20}}))
    assert [record.fps for record in source(source_fps=30).records] == [10, 20, 30]


def test_a_broken_first_frame_is_skipped_a_later_one_found_when_read(source, root):
    (root / "run/v1/frame7.png").write_text("no picture")
    (root / "walk/v2/frame9.png").write_bytes((root / "walk/v2/frame9.png").read_bytes()[:60])
    data = source()
    assert [(item.name, item.reason) for item in data.skipped] == [("run/v1", "frame7.png: not a picture")]
    assert data.read(0, [0, 1]).shape == (2, 16, 16, 3)
    with pytest.raises(DataError, match=r"walk/v2/frame9\.png: "):
        data.read(0, [2])


def test_grey_and_transparent_pictures(root, source):
    Image.new("L", (16, 16), 99).save(root / "run/v1/frame7.png")
    Image.new("RGBA", (16, 16), (5, 6, 7, 255)).save(root / "run/v1/frame8.png")
    assert source().read(0, [0, 1])[:, 3, 3].tolist() == [[99, 99, 99], [5, 6, 7]]


class Checksums(torch.utils.data.Dataset):
    """Item i is the sum of frame i of the only video."""

    def __init__(self, data):
        self.data = data

    def __len__(self):
        return self.data.length(0)

    def __getitem__(self, number):
        return int(self.data.read(0, [number]).sum(dtype=np.int64))


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_a_zip_is_read_by_several_loader_workers_at_once(tmp_path, method):
    noise = np.random.default_rng(0).integers(0, 256, (60, 128, 128, 3), dtype=np.uint8)
    (tmp_path / "v/v1").mkdir(parents=True)
    for number, content in enumerate(noise):
        Image.fromarray(content).save(tmp_path / f"v/v1/{number}.bmp")
    path = zipped(tmp_path / "v", tmp_path / "a.zip")
    data = registry("datasets").build({"type": "zip", "path": str(path), "resolution": 128})
    data.read(0, [0])  # the parent has it open
    loader = DataLoader(Checksums(data), batch_size=5, num_workers=2, multiprocessing_context=method)
    assert torch.cat(list(loader)).tolist() == noise.sum(axis=(1, 2, 3), dtype=np.int64).tolist()


def test_another_process_opens_the_zip_for_itself(root, monkeypatch):
    path = zipped(root, root.parent / "a.zip")
    data = registry("datasets").build({"type": "zip", "path": str(path), "clip_length": 4})
    mine = data._zip()
    assert data._zip() is mine
    monkeypatch.setattr("os.getpid", lambda: -1)  # after a fork
    assert data._zip() is not mine


def test_an_open_zip_can_be_pickled(root):
    data = registry("datasets").build(
        {"type": "zip", "path": str(zipped(root, root.parent / "a.zip")), "clip_length": 4}
    )
    expected = data.read(0, [1])
    assert np.array_equal(pickle.loads(pickle.dumps(data)).read(0, [1]), expected)


def test_no_zip(tmp_path):
    (tmp_path / "a.zip").write_text("text")
    with pytest.raises(DataError, match=r"a\.zip: not a zip file"):
        registry("datasets").build({"type": "zip", "path": str(tmp_path / "a.zip")})


def test_a_zip_made_on_windows(tmp_path):
    for name in ("walk/v2", "run/v1"):
        write_frames(tmp_path / "frames" / name)
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted((tmp_path / "frames").rglob("*.png")):
            member = zipfile.ZipInfo("x")
            member.filename = "top\\" + str(file.relative_to(tmp_path / "frames")).replace("/", "\\")
            archive.writestr(member, file.read_bytes())
        labels = b'\xef\xbb\xbf{"labels": [["walk\\\\v2", 1], ["run\\\\v1", 0]]}'
        archive.writestr("dataset.json", labels)
    data = registry("datasets").build(
        {"type": "zip", "path": str(path), "resolution": 16, "clip_length": 4, "labels": True}
    )
    assert [(record.name, record.label) for record in data.records] == [("run/v1", "0"), ("walk/v2", "1")]
    assert data.read(0, [0])[0, 0, 0, 0] == level(0)


def test_huge_class_numbers_matter_with_labels_only(source, root):
    (root / "dataset.json").write_text(json.dumps({"labels": [["run/v1", 10**12], ["walk/v2", 0]]}))
    assert len(source()) == 3
    with pytest.raises(DataError, match=r"dataset\.json: 2 different labels, as large as 1000000000000"):
        source(labels=True)


def test_numbers_of_any_length_have_an_order():
    assert sorted(["7", "007"], key=natural) == sorted(["007", "7"], key=natural)
    longest = "1" * 5000
    assert sorted([longest + "1", longest, "007", "7a", "6"], key=natural) == ["6", "007", "7a", longest, longest + "1"]
