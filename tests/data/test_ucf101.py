"""UCF-101's two layouts and its split files."""

from __future__ import annotations

import os

import pytest

from inrvid.data.sources.ucf101 import Ucf101
from inrvid.errors import DataError
from inrvid.registry import registry

from .making import write_video

NAMES = [f"{kind}/v_{kind}_g{group:02d}_c01.avi" for kind in ("Archery", "Bowling") for group in (1, 2)]


@pytest.fixture(params=["UCF-101", "."])
def root(request, tmp_path):
    for name in NAMES:
        write_video(tmp_path / request.param / name, 6, codec="mpeg4")
    return tmp_path


def write_lists(folder):
    folder.mkdir(parents=True)
    lines = [f"{name} {number // 2 + 1}" for number, name in enumerate(NAMES) if "_g01_" in name]
    (folder / "trainlist01.txt").write_text("\r\n".join(lines) + "\r\n")
    (folder / "testlist01.txt").write_text("\n".join(name for name in NAMES if "_g02_" in name) + "\n")


def ucf(root, **config) -> Ucf101:
    return registry("datasets").build(
        {"type": "ucf101", "path": str(root), "resolution": 16, "clip_length": 4, **config}
    )


def test_all_videos_with_classes(root):
    data = ucf(root, labels=True)
    assert [record.name for record in data.records] == NAMES
    assert data.classes == ["Archery", "Bowling"]
    assert [data.label(video) for video in range(4)] == [0, 0, 1, 1]
    assert data.read(3, [0, 5]).shape == (2, 16, 16, 3)


@pytest.mark.parametrize("lists", ["ucfTrainTestlist", "UCF101TrainTestSplits-RecognitionTask/ucfTrainTestlist"])
def test_splits(root, lists):
    write_lists(root / lists)
    train, test = ucf(root, split="train"), ucf(root, split="test")
    assert [record.name for record in train.records] == [NAMES[0], NAMES[2]]
    assert [record.name for record in test.records] == [NAMES[1], NAMES[3]]
    assert train.fingerprint != test.fingerprint


def test_listed_videos_that_are_missing(root):
    write_lists(root / "ucfTrainTestlist")
    next(root.rglob("v_Archery_g01_c01.avi")).unlink()
    (skipped,) = ucf(root, split="train").skipped
    assert skipped.name == NAMES[0]
    assert "trainlist01.txt" in skipped.reason


def test_a_split_without_its_list(root):
    with pytest.raises(DataError, match=r"no list of the test split. Looked for ucfTrainTestlist/testlist02\.txt"):
        ucf(root, split="test", split_number=2)


def test_layout_is_recognised(root, tmp_path_factory):
    assert Ucf101.matches(root)
    other = tmp_path_factory.mktemp("other")
    write_video(other / "dogs" / "1.mp4", 4)
    assert not Ucf101.matches(other)


@pytest.mark.parametrize(
    "line",
    ["Archery", "v_Archery_g01_c01.avi", "../x/v_a.avi 1", "/etc/v_a.avi 1", "Archery/v_a.mp4 1", "A/v_\0.avi"],
)
def test_lines_that_name_no_video(root, line):
    write_lists(root / "ucfTrainTestlist")
    with (root / "ucfTrainTestlist/trainlist01.txt").open("a") as file:
        file.write(f"\n{line}\n")
    with pytest.raises(DataError, match=r"trainlist01\.txt: line 4: expected 'Class/v_….avi', got") as caught:
        ucf(root, split="train")
    assert "\n" not in str(caught.value)


def test_a_list_that_is_no_text_or_no_file(root):
    write_lists(root / "ucfTrainTestlist")
    (root / "ucfTrainTestlist/trainlist01.txt").write_bytes(b"\xff\xfe")
    with pytest.raises(DataError, match=r"trainlist01\.txt: not UTF-8"):
        ucf(root, split="train")
    (root / "ucfTrainTestlist/trainlist01.txt").unlink()
    os.mkfifo(root / "ucfTrainTestlist/trainlist01.txt")
    with pytest.raises(DataError, match=r"trainlist01\.txt: a pipe"):
        ucf(root, split="train")
