"""Which checkpoints a run keeps, and what a kill, a damage or going back may not do to them."""

from __future__ import annotations

import pytest

from inrvid.training import keeping
from inrvid.training.checkpoint import FILES, put_in_place, write_manifest
from inrvid.training.keeping import checkpoints, clips_of, newest_intact, prune, recover, set_aside


def make(folder, *numbers, scores=None):
    """Checkpoints of almost no bytes."""
    for clips in numbers:
        path = folder / f"clips-{clips:012d}"
        path.mkdir(parents=True)
        for name in FILES:
            (path / f"{name}.safetensors").write_bytes(f"{name} {clips}".encode())
        write_manifest(path, step=clips, clips=clips, rollbacks=0, data="", scores=(scores or {}).get(clips, {}))


def damage(folder, *numbers):
    for clips in numbers:
        (folder / f"clips-{clips:012d}" / "ema.safetensors").write_bytes(b"other")


def kept(folder):
    return [clips_of(path) for path in checkpoints(folder)]


def test_what_is_kept(tmp_path):
    make(tmp_path, *range(100, 1100, 100))
    prune(tmp_path, keep_last=2, keep_every=400)
    assert kept(tmp_path) == [400, 800, 900, 1000]
    prune(tmp_path, keep_last=1)
    assert kept(tmp_path) == [1000]


@pytest.mark.parametrize(("highest", "best"), [(False, 200), (True, 100)])
def test_the_best_is_kept(tmp_path, highest, best):
    scores = {100: {"a/b": 5.0}, 200: {"a/b": 1.0}, 300: {"a/b": 3.0}, 400: {}, 500: {"a/b": float("nan")}}
    make(tmp_path, *scores, scores=scores)
    prune(tmp_path, keep_last=1, keep_best="a/b", highest=highest)
    assert kept(tmp_path) == [best, 500]


def test_without_scores_none_is_the_best(tmp_path):
    """The first one was, for ever."""
    make(tmp_path, 100, 200, 300)
    prune(tmp_path, keep_last=1, keep_best="a/b")
    assert kept(tmp_path) == [300]


def test_damaged_ones_do_not_count(tmp_path):
    """Two damaged ones on top made every intact one go, once."""
    make(tmp_path, 100, 200, 300, 400)
    damage(tmp_path, 300, 400)
    prune(tmp_path, keep_last=2)
    assert kept(tmp_path) == [100, 200, 300, 400]
    make(tmp_path, 500, 600)
    prune(tmp_path, keep_last=2)
    assert kept(tmp_path) == [500, 600]


def test_damage_after_it_was_found_intact_is_seen(tmp_path):
    make(tmp_path, 100, 200, 300)
    prune(tmp_path, keep_last=3)
    damage(tmp_path, 200, 300)
    prune(tmp_path, keep_last=1)
    assert kept(tmp_path)[0] == 100


def test_what_was_just_written_stays(tmp_path):
    make(tmp_path, 100, 200, 300)
    prune(tmp_path, keep_last=1, written=tmp_path / "clips-000000000100")
    assert kept(tmp_path) == [100, 300]


OTHERS = ["clips-000000000360 (copy)", "clips-000000000360.bak"]
OTHERS += ["clips-²", "clips-", "²", "clips-0000000003600", "\udcff"]


@pytest.mark.parametrize("name", OTHERS)
def test_other_names_are_left_alone(tmp_path, name):
    make(tmp_path, 100, 200)
    (tmp_path / name).mkdir()
    (tmp_path / "clips-000000000300").symlink_to(tmp_path / "clips-000000000100")
    assert kept(tmp_path) == [100, 200]
    prune(tmp_path, keep_last=1)
    recover(tmp_path)
    assert kept(tmp_path) == [200]
    assert len(list(tmp_path.iterdir())) == 3


def test_going_back_sets_newer_ones_aside(tmp_path):
    make(tmp_path / "c", 100, 200, 300)
    metrics = tmp_path / "metrics.jsonl"
    metrics.write_text("{}\n")
    first = set_aside(tmp_path / "c", 100, metrics)
    assert kept(tmp_path / "c") == [100]
    assert kept(first) == [200, 300]
    assert (first / "metrics.jsonl").read_text() == "{}\n"
    make(tmp_path / "c", 200)
    second = set_aside(tmp_path / "c", 100, metrics)
    assert first != second
    assert kept(second) == [200]
    assert set_aside(tmp_path / "c", 100, metrics) is None


class Killed(BaseException):
    pass


@pytest.mark.parametrize("instant", range(1, 6))
def test_a_kill_while_one_is_written_anew_leaves_one(tmp_path, monkeypatch, instant):
    """At each of the calls that change the disk, in turn."""
    make(tmp_path, 100)
    make(tmp_path / "new", 100)
    (tmp_path / "new" / "clips-000000000100").rename(tmp_path / ".clips-000000000100")
    calls = []

    def counting(function):
        def call(*args, **keys):
            calls.append(function)
            if len(calls) == instant:
                raise Killed
            return function(*args, **keys)

        return call

    monkeypatch.setattr("pathlib.Path.rename", counting(type(tmp_path).rename))
    monkeypatch.setattr("shutil.rmtree", counting(keeping.shutil.rmtree))
    try:
        put_in_place(tmp_path / ".clips-000000000100", tmp_path / "clips-000000000100")
    except Killed:
        pass
    else:
        assert instant > 4
    monkeypatch.undo()
    recover(tmp_path)
    assert newest_intact(tmp_path) == tmp_path / "clips-000000000100"
    assert not list(tmp_path.glob(".*"))


def test_a_kill_while_one_is_deleted_leaves_no_half(tmp_path, monkeypatch):
    make(tmp_path, 100, 200)

    def kill(*args, **keys):
        raise Killed

    path = tmp_path / "clips-000000000100"
    with monkeypatch.context() as patched:
        patched.setattr("shutil.rmtree", lambda target, **keys: None if not target.exists() else kill())
        with pytest.raises(Killed):
            keeping.delete(path)
    assert kept(tmp_path) == [200]
    recover(tmp_path)
    assert not list(tmp_path.glob(".*"))
