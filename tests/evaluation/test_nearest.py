"""Pairs of a generated clip and its nearest real one, by sets in which some are copies."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from inrvid import InrvidError
from inrvid.evaluation.clips import Clip, DatasetClips, Source, Window
from inrvid.evaluation.evaluate import Evaluation, Subject
from inrvid.evaluation.nearest import Chosen, nearest_pairs
from inrvid.evaluation.protocol import Protocol
from inrvid.evaluation.record import Side
from inrvid.registry import registry

RANDOM = {"type": "random"}
MEMORISATION = {"type": "memorisation", "detector": RANDOM}
STATISTICS = {"type": "statistics"}


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("INRVID_CACHE", str(tmp_path / "cache"))


def clips_of(split, kind=DatasetClips, **keys):
    data = registry("datasets").build(
        {"type": "procedural", "resolution": 16, "split": split, "videos": 24, "frames": 8, "clip_length": 2}
    )
    return kind(data, name=split, order="first", **keys)


@dataclasses.dataclass
class Copies(Source):
    """New clips, but for some that are copies: generated clip → real video."""

    new: Source
    real: Source
    copies: dict[int, int]
    name: str = "copies"

    @property
    def fingerprint(self):
        return str(self.copies)

    def choose(self, window, count):
        return self.new.choose(window, count)

    def read(self, window, clips):
        whole = [
            (self.real.read(window, [Clip(self.copies[c.video], c.start)]) if c.video in self.copies else
             self.new.read(window, [c]))
            for c in clips
        ]  # fmt: skip
        return torch.cat(whole)


class Broken(DatasetClips):
    """Of its videos, the third and fifth cannot be decoded."""

    def _read(self, window, clip):
        return None if clip.video in (2, 4) else super()._read(window, clip)


def pairs_of(real, *fakes, metrics=(MEMORISATION,), count=8):
    protocol = Protocol.model_validate({"name": "own", "clips": 24, "halves": 0, "metrics": metrics}, strict=False)
    real, *fakes = [Subject(s, Side(name=s.name, kind="data", fingerprint="", fps=25)) for s in (real, *fakes)]
    evaluation = Evaluation(
        protocol, {}, real, fakes, clip_length=8, resolution=(16, 16), device=torch.device("cpu"), force=True,
        fresh=True,
    )  # fmt: skip
    seen = evaluation.look()
    return nearest_pairs(evaluation, seen, count), evaluation.scored(seen)


@pytest.mark.parametrize("kind", [DatasetClips, Broken])
def test_copies_come_first_each_with_what_it_is_of(kind):
    """Also where some real videos cannot be decoded, so that features are fewer than clips."""
    real, copies = clips_of("train", kind), {5: 3, 11: 20, 17: 7}
    found, _ = pairs_of(real, Copies(clips_of("test"), clips_of("train"), copies))
    first = found.pairs[:3]
    assert {pair.fake.clip.video: pair.real.clip.video for pair in first} == copies
    assert max(pair.distance for pair in first) < 1e-5 < 0.05 < found.pairs[3].distance
    for pair in first:
        assert np.array_equal(pair.fake.read(found.window), pair.real.read(found.window))
    distances = [pair.distance for pair in found.pairs]
    assert distances == sorted(distances)
    assert found.clips == (24 if kind is DatasetClips else 22, 24)


def test_the_metric_is_the_mean_of_the_distances():
    found, record = pairs_of(clips_of("train"), clips_of("test"), count=24)
    assert np.mean([p.distance for p in found.pairs]) == pytest.approx(record.scores["memorisation"].value)


def test_pairs_are_of_all_runs():
    new, real = clips_of("test"), clips_of("train")
    runs = [Copies(new, real, {1: 1}), Copies(new, real, {2: 9})]
    found, _ = pairs_of(real, *runs, count=2)
    told = [(runs.index(p.fake.source), p.fake.clip.video, p.real.clip.video) for p in found.pairs]
    assert sorted(told) == [(0, 1, 1), (1, 2, 9)]
    assert found.clips == (24, 48)


@pytest.mark.parametrize(
    ("metrics", "detector"), [((STATISTICS, MEMORISATION), "random"), ((STATISTICS,), "statistics")]
)
def test_features_are_those_of_the_metric_that_is_of_nearest_clips(metrics, detector):
    found, _ = pairs_of(clips_of("train"), clips_of("test"), metrics=metrics)
    assert found.detector == detector


def test_metrics_that_see_frames_singly_say_nothing_of_clips(monkeypatch):
    monkeypatch.setattr(registry("detectors").component("random"), "min_frames", 1)
    fid = {"type": "fid", "frames": 4, "detector": RANDOM}
    found, _ = pairs_of(clips_of("train"), clips_of("test"), metrics=(fid, STATISTICS))
    assert found.detector == "statistics"
    with pytest.raises(InrvidError, match="which none of these metrics does"):
        pairs_of(clips_of("train"), clips_of("test"), metrics=(fid,))


def test_a_clip_that_is_gone_is_said():
    chosen = Chosen(clips_of("train", Broken), Clip(2, 0))
    with pytest.raises(InrvidError, match="train-000002, frame 0: its video can no longer be read"):
        chosen.read(Window(4))


def test_titles_say_where_a_clip_is():
    real = clips_of("train")
    assert real.title(Clip(3, 2)) == f"{real.dataset.records[3].name}, frame 2"
