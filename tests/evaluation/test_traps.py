"""Traps: each row is the protocol's score with one choice made otherwise."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from inrvid import InrvidError
from inrvid.evaluation.clips import Altered, Clip, DatasetClips, Source, Window
from inrvid.evaluation.evaluate import Evaluation, Subject
from inrvid.evaluation.protocol import load_protocol
from inrvid.evaluation.record import Side
from inrvid.evaluation.traps import TRAPS, OtherHalf, Row, Trap, Traps, TrapTable, half_and_back, jpeg, still
from inrvid.registry import registry
from inrvid.report.traps import write_traps


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("INRVID_CACHE", str(tmp_path / "cache"))


class Counted(Altered):
    """Says how many clips it read."""

    def __init__(self, source: Source):
        super().__init__(source, lambda frames: frames, "counted")
        self.clips = 0

    def read(self, window, clips):
        self.clips += len(clips)
        return super().read(window, clips)


def clips_of(split: str, videos: int, frames: int, **choices) -> DatasetClips:
    config = {"type": "procedural", "split": split, "videos": videos, "frames": frames, "resolution": 32}
    return DatasetClips(registry("datasets").build({**config, "clip_length": 8}), name=split, **choices)


def subject(source: Source) -> Subject:
    return Subject(source, Side(name=source.name, kind="videos", fingerprint=source.fingerprint, fps=25))


def table(frames: int = 80, clips: int = 30, videos: int = 50, *, fake: Source | None = None, traps=TRAPS) -> Traps:
    settings = [f"clips={clips}", "halves=3", "metrics=[{type: statistics, frames: 8}]"]
    protocol, variant = load_protocol("inrvid", settings)
    fake = fake or clips_of("train", videos, frames, start="first")
    evaluation = Evaluation(
        protocol, variant, subject(clips_of("test", videos, frames)), [subject(fake)], clip_length=8,
        resolution=(32, 32), device=torch.device("cpu"), force=True,
    )  # fmt: skip
    return TrapTable(evaluation, traps)()


def by_name(found: Traps) -> dict[str, Row]:
    return {row.name: row for row in found.rows}


def test_every_trap_has_a_row():
    found = table()
    rows = by_name(found)
    assert list(rows) == ["as the protocol says", *(trap.name for trap in TRAPS)]
    assert {row.name: row.why_not for row in found.rows if row.why_not} == {}
    own = rows["as the protocol says"].scores
    assert set(own) == set(found.errors) == {"statistics8/spatial", "statistics8/temporal"}
    for row in found.rows[1:]:
        assert row.scores != own, row.name
    assert rows["still images"].scores["statistics8/temporal"] > 2 * own["statistics8/temporal"]
    assert rows["real against real"].clips == {"8 frames": [25, 25]}
    assert rows["stride 8"].clips == {"8 frames": [30, 30]}


def test_what_does_not_change_is_looked_at_once():
    fake = Counted(clips_of("train", 50, 80, start="first"))
    table(fake=fake)
    assert fake.clips == 3 * 30  # its own, strided, and still


def test_rows_say_why_they_are_empty():
    rows = by_name(table(frames=8, videos=20, clips=20))
    assert rows["stride 8"].why_not == "test: 0 clips of 8 frames, stride 8 (57 frames of a video), 10 are needed"
    for name in ("all clips of a video", "first frames", "first videos"):
        assert rows[name].why_not == "the same clips as the protocol's"
        assert rows[name].scores == {}


def test_videos_of_one_clip_each_have_no_others():
    assert by_name(table(frames=12))["all clips of a video"].why_not == "no video holds two clips"


def test_fewer_clips_are_the_first_of_those_there_are(monkeypatch):
    monkeypatch.setattr("inrvid.evaluation.traps.FEWER", (10, 20, 30))
    rows = by_name(table(traps=()))
    assert list(rows) == ["as the protocol says", "10 clips", "20 clips"]
    assert rows["10 clips"].scores == by_name(table(clips=10, traps=()))["as the protocol says"].scores


def test_a_trap_that_changes_nothing_moves_nothing():
    same = Trap("same", "nothing", lambda real, fake: (Altered(real, lambda frames: frames, "same"), fake))
    first, second = table(traps=(same,)).rows
    assert first.scores == second.scores


@pytest.mark.parametrize("videos", [21, 40, 60])
def test_halves_have_no_video_in_common(videos):
    source = clips_of("test", videos, 8)
    other = OtherHalf(source).choose(Window(8), 30)
    first = source.choose(Window(8), 30)[: len(other)]
    assert len(other) == min(30, videos // 2)
    assert not {clip.video for clip in first} & {clip.video for clip in other}


@pytest.mark.parametrize("antialias", [False, True])
def test_half_and_back(antialias):
    change = half_and_back(antialias)
    flat = torch.full((2, 3, 3, 16, 16), 51.5 / 127.5)  # a colour of 8 bits
    torch.testing.assert_close(change(flat), flat, rtol=0, atol=1e-6)
    chequered = ((torch.arange(16) + torch.arange(16)[:, None]) % 2 * 2 - 1.0).expand(2, 3, 3, 16, 16)
    assert change(chequered).abs().mean() < 0.1
    odd = torch.rand(1, 2, 3, 15, 17)
    assert change(odd).shape == odd.shape


def test_antialiasing_makes_a_difference():
    frames = torch.rand(1, 2, 3, 16, 16, generator=torch.Generator().manual_seed(0)) * 2 - 1
    assert not torch.allclose(half_and_back(True)(frames), half_and_back(False)(frames), atol=0.05)


def test_jpeg_is_near_but_not_the_same():
    y, x = np.mgrid[:32, :48] / 24
    smooth = torch.from_numpy(np.stack([np.sin(3 * x), np.cos(2 * y), np.sin(x + y)])).float().expand(2, 4, 3, 32, 48)
    found = jpeg(smooth)
    assert found.shape == smooth.shape
    assert 0 < (found - smooth).abs().mean() < 0.05
    torch.testing.assert_close(found * 127.5 + 127.5, (found * 127.5 + 127.5).round(), rtol=0, atol=1e-3)


def test_an_altered_source_chooses_as_its_source_and_is_another():
    source = clips_of("test", 5, 8)
    altered = Altered(source, lambda frames: -frames, "negative")
    assert altered.choose(Window(8), 3) == source.choose(Window(8), 3)
    assert torch.equal(altered.read(Window(8), [Clip(1, 0)]), -source.read(Window(8), [Clip(1, 0)]))
    assert altered.fingerprint not in (source.fingerprint, Altered(source, lambda frames: frames, "").fingerprint)


def test_other_sources_have_no_such_choices():
    evaluation = Evaluation(
        load_protocol("inrvid", ["metrics=[{type: statistics}]"])[0], {},
        subject(Counted(clips_of("test", 5, 8))), [subject(clips_of("train", 5, 8))],
        clip_length=8, resolution=(32, 32), device=torch.device("cpu"),
    )  # fmt: skip
    with pytest.raises(InrvidError, match="choices of clips of a data set"):
        TrapTable(evaluation)


@pytest.mark.parametrize("suffix", [".html", ".png", ".json"])
def test_a_table_is_written(tmp_path, suffix):
    found = table(frames=8, videos=20, clips=20)
    path = tmp_path / f"traps{suffix}"
    write_traps(found, path)
    if suffix == ".json":
        assert Traps.model_validate_json(path.read_text()) == found
    elif suffix == ".html":
        text = path.read_text()
        assert text.count("<svg") == 2
        assert text.count("10 are needed") == 1
        assert "http" not in text
    else:
        assert path.read_bytes().startswith(b"\x89PNG")


def test_another_suffix_is_refused(tmp_path):
    with pytest.raises(InrvidError, match=r"\.html, \.png or \.json"):
        write_traps(table(frames=8, videos=20, clips=20, traps=()), tmp_path / "traps.pdf")


def test_antialiased_is_smoother():
    frames = torch.rand(1, 2, 3, 16, 16, generator=torch.Generator().manual_seed(0)) * 2 - 1
    assert half_and_back(True)(frames).std() < half_and_back(False)(frames).std()


def test_a_still_video_is_of_the_first_frame():
    frames = torch.randn(2, 4, 3, 8, 8)
    assert torch.equal(still(frames)[:, 3], frames[:, 0])
