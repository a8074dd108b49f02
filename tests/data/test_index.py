"""Files are probed once, and again when they change; a damaged cache is built again."""

from __future__ import annotations

import functools
import json
import os
import shutil

import pytest

from inrvid.data import index
from inrvid.data.index import index_files

from .making import write_video


@pytest.fixture
def probed(monkeypatch):
    """Names of the files that have been probed."""
    names = []
    real = index.probe

    def recording(path):
        names.append(path.name)
        return real(path)

    monkeypatch.setattr(index, "probe", recording)
    return names


@pytest.fixture
def folder(tmp_path):
    for name in ("a.mp4", "b.mp4"):
        write_video(tmp_path / "videos" / name, 5)
    return tmp_path / "videos"


def cached(cache):
    (file,) = (cache / "index").glob("*.json")
    return file


def test_second_time_nothing_is_probed(folder, probed):
    first = index_files(folder, ["a.mp4", "b.mp4"])
    assert sorted(probed) == ["a.mp4", "b.mp4"]
    probed.clear()
    assert index_files(folder, ["a.mp4", "b.mp4"]) == first
    assert probed == []


def test_only_new_and_changed_files_are_probed(folder, probed):
    index_files(folder, ["a.mp4", "b.mp4"])
    write_video(folder / "c.mp4", 7)
    write_video(folder / "b.mp4", 6)
    probed.clear()
    found = index_files(folder, ["a.mp4", "b.mp4", "c.mp4"])
    assert sorted(probed) == ["b.mp4", "c.mp4"]
    assert [found[name].frames for name in ("a.mp4", "b.mp4", "c.mp4")] == [5, 6, 7]


def test_a_new_modification_time_is_a_change(folder, probed):
    index_files(folder, ["a.mp4"])
    os.utime(folder / "a.mp4", ns=(1, 1))
    index_files(folder, ["a.mp4"])
    assert probed == ["a.mp4", "a.mp4"]


@pytest.mark.parametrize("content", ["", "{", "[]", '{"version": 0, "files": {}}', None])
def test_a_damaged_cache_is_built_again(folder, cache, probed, content):
    first = index_files(folder, ["a.mp4"])
    data = json.loads(cached(cache).read_text())
    data["files"]["a.mp4"]["info"]["ticks"]["uniform"] = 7
    cached(cache).write_text(json.dumps(data) if content is None else content)
    assert index_files(folder, ["a.mp4"]) == first
    assert probed == ["a.mp4", "a.mp4"]
    probed.clear()
    index_files(folder, ["a.mp4"])
    assert probed == []


def test_other_files_of_the_folder_stay_and_deleted_ones_go(folder, cache):
    index_files(folder, ["a.mp4", "b.mp4"])
    (folder / "b.mp4").unlink()
    write_video(folder / "c.mp4", 5)
    index_files(folder, ["c.mp4"])
    assert list(json.loads(cached(cache).read_text())["files"]) == ["a.mp4", "c.mp4"]


def test_broken_files_give_their_reason_and_are_looked_at_again(folder, probed):
    (folder / "b.mp4").write_text("text")
    for _ in range(2):
        assert isinstance(index_files(folder, ["a.mp4", "b.mp4"])["b.mp4"], str)
    assert sorted(probed) == ["a.mp4", "b.mp4", "b.mp4"]


def test_a_missing_file_has_a_reason(folder):
    assert index_files(folder, ["z.mp4"]) == {"z.mp4": "No such file or directory"}


def test_a_cache_that_cannot_be_written(folder, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("INRVID_CACHE", str(tmp_path / "file"))
    assert index_files(folder, ["a.mp4"])["a.mp4"].frames == 5


HOSTILE = {
    "more frames than bytes": {"ticks": {"uniform": [0, 1, 2 * 10**9], "values": []}},
    "more frames than there are numbers": {"ticks": {"uniform": [0, 1, 10**30], "values": []}},
    "keys that it does not have": {"keys": {"uniform": [0, 1, 2 * 10**9], "values": []}},
    "keys before the first": {"keys": {"uniform": [-1, 1, 1], "values": []}},
    "times that stand still": {"ticks": {"uniform": [0, 0, 5], "values": []}},
    "times in disorder": {"ticks": {"uniform": None, "values": [3, 1, 2]}},
    "times beyond int64": {"ticks": {"uniform": None, "values": [0, 2**63]}},
    "no rate": {"fps": 0},
    "a rate that is none": {"fps": "NaN"},
    "an infinite rate": {"fps": 1e400},
    "no time base": {"time_base": [1, 0]},
    "a huge picture": {"width": 10**5, "height": 10**5},
    "a negative picture": {"width": -64, "height": -48},
    "another type": {"seekable": "yes"},
    "another size": {"size": 10**12},
    "no size": {"size": None},
    "less": {"ticks": None},
    "deep nesting": {"ticks": functools.reduce(lambda inner, _: [inner], range(90), 0)},
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_cache_is_built_again(folder, cache, probed, kind):
    first = index_files(folder, ["a.mp4"])
    data = json.loads(cached(cache).read_text())
    data["files"]["a.mp4"]["info"] |= HOSTILE[kind]
    cached(cache).write_text(json.dumps(data))
    probed.clear()
    assert index_files(folder, ["a.mp4"]) == first
    assert probed == ["a.mp4"]


def test_a_cache_that_is_no_file_or_too_large(folder, cache, probed, monkeypatch):
    first = index_files(folder, ["a.mp4"])
    monkeypatch.setattr(index, "MOST_BYTES", 10)
    assert index_files(folder, ["a.mp4"]) == first
    file = cached(cache)
    file.unlink()
    os.mkfifo(file)
    assert index_files(folder, ["a.mp4"]) == first
    assert probed == ["a.mp4"] * 3


def test_names_that_are_no_text(folder, tmp_path, probed):
    (tmp_path / "caf\udce9").mkdir()
    names = ["\udcff.mp4", "100%.mp4", "ü.mp4"]
    for name in names:
        shutil.copy(folder / "a.mp4", tmp_path / "caf\udce9" / name)
    first = index_files(tmp_path / "caf\udce9", names)
    assert [info.frames for info in first.values()] == [5, 5, 5]
    probed.clear()
    assert index_files(tmp_path / "caf\udce9", names) == first
    assert probed == []


def test_a_folder_with_a_long_name_is_indexed_once(tmp_path, probed):
    folder = tmp_path / ("ü" * 120)
    write_video(folder / "a.mp4", 5)
    for _ in range(2):
        index_files(folder, ["a.mp4"])
    assert probed == ["a.mp4"]


def test_what_was_found_before_the_end_is_not_looked_into_again(folder, monkeypatch):
    write_video(folder / "c.mp4", 7)
    names, real = ["a.mp4", "b.mp4", "c.mp4"], index.probe

    def ending(path):
        if path.name == "c.mp4":
            raise KeyboardInterrupt
        return real(path)

    monkeypatch.setattr(index, "STORE_SECONDS", 0.0)
    monkeypatch.setattr(index, "probe", ending)
    with pytest.raises(KeyboardInterrupt):
        index_files(folder, names)
    looked = []
    monkeypatch.setattr(index, "probe", lambda path: looked.append(path.name) or real(path))
    assert [info.frames for info in index_files(folder, names).values()] == [5, 5, 7]
    assert "c.mp4" in looked
    assert "a.mp4" not in looked
