"""Records side by side: what is ranked, what is apart, and what is told of files that are none."""

from __future__ import annotations

import json
import os
import re
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

from inrvid.evaluation.detectors.base import DetectorDigest
from inrvid.evaluation.leaderboard import compared, find_records, grouped, ranks
from inrvid.evaluation.record import Record, Score, Side
from inrvid.report.leaderboard import markdown, page, sample_of
from inrvid.video_io import write_image, write_video

from ..cli.test_cli import inrvid


def record(name="model", value=10.0, error=1.0, **changes):
    digest = DetectorDigest(name="i3d", sha256="ab" * 32, features="logits", resize="bilinear")
    scores = {"fvd16": Score(value=value, error=error, how="halves")}
    scores |= {"precision": Score(value=value / 100, error=error / 100, better="higher")}
    real = Side(name="sky", kind="data", fingerprint="11" * 32, fps=8.0)
    fake = Side(name=name, kind="model", fingerprint=name, clips={"16 frames": 2048}, fps=8.0)
    same = {"protocol": "inrvid", "protocol_version": 1, "settings": {}, "detectors": {"i3d": digest}, "real": real}
    made = {"resolution": [64, 128], "fake": fake, "scores": scores, "date": "2025-01-01T00:00:00", "device": "cpu"}
    return Record(**{**same, **made, **changes})


def write(folder, **records):
    for name, one in records.items():
        one.write(folder / f"{name}.json")
    return folder


def board(*paths):
    entries, problems = find_records(paths)
    return grouped(entries), problems


def test_comparable_records_are_ranked_and_others_apart(tmp_path):
    other = record("c", 1.0, protocol="stylegan-v", detectors={})
    write(tmp_path, b=record("b", 20.0), a=record("a", 10.0), c=other)
    (first, second), problems = board(tmp_path)
    assert problems == []
    assert [row.entry.record.fake.name for row in first.rows] == ["a", "b"]
    assert [row.places["fvd16"].rank for row in first.rows] == [1, 2]
    assert [row.places["precision"].rank for row in first.rows] == [2, 1]  # higher is better
    assert [row.places["fvd16"].rank for row in second.rows] == [1]
    told = [str(difference) for difference in second.differences]
    assert told == ["protocol: inrvid 1 → stylegan-v 1", f"detector i3d: sha256: {'ab' * 32} → —"]
    assert not first.differences


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"protocol_version": 2}, ["protocol: inrvid 1 → inrvid 2"]),
        ({"variant": {"clips": 512}}, ["variant clips: — → 512"]),
        ({"resolution": [64, 64]}, ["resolution: 128×64 → 64×64"]),
        (
            {"real": Side(name="sky", kind="data", fingerprint="22" * 32, fps=8.0)},
            ["data: sky (111111111111) → sky (222222222222)"],
        ),
        (
            {"detectors": {"i3d": DetectorDigest(name="i3d", sha256="cd", features="logits", resize="bilinear")}},
            [f"detector i3d: sha256: {'ab' * 32} → cd"],
        ),
    ],
)
def test_the_field_in_which_groups_differ_is_named(changes, told):
    """It is whatever makes `Record.comparable` another."""
    one, other = record(), record(**changes)
    assert one.comparable != other.comparable
    assert [str(difference) for difference in compared(one, other)] == told
    assert compared(one, record("another", 3.0)) == []


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        ([(10, 1), (11, 1)], [1, 1]),  # √2 is more than 1
        ([(10, 1), (11.5, 1)], [1, 2]),
        ([(11, None), (10, None), (10, None)], [3, 1, 1]),
        ([(10, 1), (11, 1), (12, 1)], [1, 1, 2]),  # the last is worse than the first, and not than the second
    ],
)
def test_scores_closer_than_their_errors_share_a_rank(scores, expected):
    assert ranks([Score(value=value, error=error) for value, error in scores]) == expected
    mirrored = [Score(value=-value, error=error, better="higher") for value, error in scores]
    assert ranks(mirrored) == expected


def test_a_score_that_one_lacks(tmp_path):
    write(tmp_path, a=record("a"), b=record("b", scores={"kvd": Score(value=1.0)}))
    ((group,), _) = board(tmp_path)
    assert group.scores == ["fvd16", "precision", "kvd"]
    assert [set(row.places) for row in group.rows] == [{"fvd16", "precision"}, {"kvd"}]
    assert "| b | — | — | 1 #1 |" in markdown([group])


def test_scores_of_one_name_that_were_measured_otherwise(tmp_path):
    """Fewer of a protocol's metrics are no variant of it; other settings of one are another score."""
    metric = {"type": "fvd", "frames": 16, "stride": 1, "unbiased": True}
    write(tmp_path, a=record("a", settings={"metrics": [metric]}), b=record("b", settings={"metrics": [metric]}))
    write(tmp_path, c=record("c", 1.0, settings={"metrics": [{**metric, "unbiased": False}]}))
    ((group,), _) = board(tmp_path)
    assert group.scores == ["fvd16", "precision", "fvd16 (unbiased=False)"]
    ranked = [[row.places[name].rank for name in row.places if name.startswith("fvd16")] for row in group.rows]
    assert ranked == [[1], [1], [1]]


def test_a_metric_is_the_same_whether_it_was_optional_or_asked_for(tmp_path):
    metric = {"type": "fvd", "frames": 16, "stride": 1, "first": 0}
    asked, optional = {"metrics": [metric], "optional": []}, {"metrics": [], "optional": [metric]}
    write(tmp_path, a=record("a", settings=asked), b=record("b", 20.0, settings=optional))
    (group,), _ = board(tmp_path)
    assert group.scores[0] == "fvd16"
    assert [row.places["fvd16"].rank for row in group.rows] == [1, 2]


def test_videos_of_another_speed_or_other_classes_are_apart(tmp_path):
    fast = Side(name="b", kind="model", fingerprint="b", clips={"16 frames": 2048}, fps=16.0)
    evenly = Side(name="c", kind="model", fingerprint="c", clips=fast.clips, fps=8.0, settings={"classes": "evenly"})
    write(tmp_path, a=record("a"), b=record("b", fake=fast), c=record("c", fake=evenly))
    groups, _ = board(tmp_path)
    told = {str(difference) for group in groups for difference in group.differences}
    assert len(groups) == 3
    assert any("speed of generated videos: " in line and "2 times" in line for line in told)
    assert any("generated classes: " in line and "evenly" in line for line in told)


def test_a_window_from_a_later_frame_is_another_metric(tmp_path):
    metric = {"type": "fvd", "frames": 16, "stride": 1, "first": 0}
    later = {**metric, "first": 112, "unbiased": False}
    write(tmp_path, a=record("a", settings={"metrics": [metric]}), b=record("b", settings={"metrics": [later, metric]}))
    ((group,), _) = board(tmp_path)
    assert group.scores == ["fvd16", "precision"]


def test_damaged_files_cost_a_line_and_other_json_nothing(tmp_path):
    write(tmp_path, good=record())
    (tmp_path / "cut.json").write_text(record().model_dump_json()[:100])
    (tmp_path / "newer.json").write_text('{"inrvid_record": 2}')
    (tmp_path / "empty.json").write_text("")
    (tmp_path / "config.json").write_text('{"generator": {}}')
    (tmp_path / "list.json").write_text("[1]")
    os.mkfifo(tmp_path / "pipe.json")
    (tmp_path / "evaluation.json").mkdir()
    groups, problems = board(tmp_path, tmp_path / "nothing.json")
    assert len(groups) == 1
    names = [re.search(r"(\w+)\.json: ", line)[1] for line in problems]
    assert names == ["cut", "empty", "newer", "pipe", "nothing"]
    assert all(len(line.splitlines()) == 1 for line in problems)


def test_a_record_in_two_places_is_one(tmp_path):
    (tmp_path / "model").mkdir()
    for folder in (tmp_path, tmp_path / "model"):
        write(folder, evaluation=record())
    ((group,), _) = board(tmp_path, tmp_path)
    assert [row.entry.path for row in group.rows] == [tmp_path / "evaluation.json"]


def with_samples(folder, suffixes=("png", "mp4")):
    video = np.random.default_rng(0).integers(0, 255, (4, 16, 16, 3)).astype(np.uint8)
    (folder / "samples").mkdir(parents=True)
    if "mp4" in suffixes:
        write_video(folder / "samples" / "clips-000000000008.mp4", video, fps=8)
    write_image(folder / "samples" / "clips-000000000008.png", video[0])
    return folder


def test_page_shows_samples_of_runs_and_needs_no_network(tmp_path):
    write(with_samples(tmp_path / "one"), evaluation=record("<b>one</b>"))
    (with_samples(tmp_path / "two", ["png"]) / "model").mkdir()
    write(tmp_path / "two" / "model", evaluation=record("two", 30.0))
    with_samples(tmp_path / "three")
    write(tmp_path, elsewhere=record(str(tmp_path / "three"), protocol="other"))
    groups, _ = board(tmp_path)
    html = page(groups)
    addresses = re.findall(r"(?:src|href)=[\"']([^\"']*)", html)
    assert [address[:10] for address in addresses] == ["data:video", "data:image", "data:video"]
    assert "<b>" not in html
    assert "protocol: inrvid 1 → other 1" in html
    well_formed(html)


def well_formed(html):
    """As XML, once what HTML leaves open is closed."""
    html = re.sub(r"<(meta|img)([^>]*)>", r"<\1\2/>", html.replace("<!doctype html>", ""))
    html = re.sub(r" (autoplay|muted|loop|controls)", r' \1=""', html)
    ElementTree.fromstring(html)


def test_a_picture_beside_the_record_comes_first(tmp_path):
    write(with_samples(tmp_path), evaluation=record())
    write_image(tmp_path / "evaluation.png", np.zeros((4, 4, 3), np.uint8))
    entry = find_records([tmp_path])[0][0]
    assert sample_of(entry)["name"] == "evaluation"


def test_on_the_command_line(tmp_path):
    write(tmp_path, b=record("[b]", 20.0), a=record("a", 10.0), c=record("c|d", protocol="other"))
    (tmp_path / "damaged.json").write_text("{")
    done = inrvid("evaluate", "--leaderboard", tmp_path, "-o", "out.md", cwd=tmp_path)
    assert re.search(r"a +10 ± 1 +#1 .*\n\[b\] +20 ± 1 +#2", done.stdout)
    assert "protocol: inrvid 1 → other 1" in done.stdout
    assert len(done.stderr.splitlines()) == 1
    assert "damaged.json: not a record" in done.stderr
    assert "| a | 10 ± 1 #1 | 0.1 ± 0.01 #2 | 2048 | 2025-01-01 |" in (tmp_path / "out.md").read_text()
    assert "| c\\|d |" in (tmp_path / "out.md").read_text()
    inrvid("evaluate", "--leaderboard", tmp_path / "a.json", tmp_path / "b.json", "-o", "out.html", cwd=tmp_path)
    well_formed((tmp_path / "out.html").read_text())
    told = json.loads(inrvid("evaluate", "--leaderboard", tmp_path, "--json", cwd=tmp_path).stdout)
    assert [one["scores"]["fvd16"]["rank"] for one in told["groups"][0]["records"]] == [1, 2]
    assert told["groups"][1]["differs_from_the_one_before"] == [
        {"field": "protocol", "before": "inrvid 1", "here": "other 1"}
    ]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--leaderboard", "."], "no record of an evaluation in .:"),
        (["--leaderboard", "--leaderboard"], "give a model or a folder of videos to score, or --leaderboard PATH…"),
        ([], "give a model or a folder of videos to score, or --leaderboard PATH…"),
        (["a", "b"], "one model or folder of videos, got 2: a, b"),
        (["--leaderboard", ".", "--against", "x"], "give no other options with it than -o and --json"),
        (["--leaderboard", ".", "--force"], "give no other options with it than -o and --json"),
        (["a", "-o", "here.json"], "here.json: a folder, not a file"),
        (["a", "-o", "file/a.json"], "file/a.json: cannot be written: "),
    ],
)
def test_what_is_wrong_is_told_in_a_line(tmp_path, arguments, told):
    (tmp_path / "here.json").mkdir()
    (tmp_path / "file").touch()
    done = inrvid("evaluate", *arguments, cwd=tmp_path, check=False)
    assert done.returncode == 2
    assert told in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(("count", "width"), [(3, 60), (3, 120), (5, 50)])
def test_a_table_that_is_too_wide_has_a_line_a_score(tmp_path, monkeypatch, count, width):
    """And no number in it is broken."""
    scores = {f"diagnostics16/part{i} (real)": Score(value=i + 0.123, error=0.0456) for i in range(8)}
    for number in range(count):
        record(f"models/number_{number}", scores=scores).write(tmp_path / f"{number}.json")
    monkeypatch.setattr("inrvid.cli.leaderboard.PIPED", width)
    told = inrvid("evaluate", "--leaderboard", ".", cwd=tmp_path).stdout
    lines = [line for line in told.splitlines() if line.startswith("diagnostics16/part7 (real) ↓")]
    assert sum(line.count("7.123 ± 0.046  #1") for line in lines) == count
    assert len(lines) == -(-count // max(1, (width - 30) // 26))
    assert all(f"models/number_{number}" in told for number in range(count))


def test_a_suffix_that_is_neither(tmp_path):
    write(tmp_path, a=record())
    done = inrvid("evaluate", "--leaderboard", tmp_path, "-o", "out.txt", cwd=tmp_path, check=False)
    assert done.returncode == 2
    assert "is written as .html or .md" in done.stderr


def test_what_is_neither_better_nor_worse_is_not_ranked():
    """Motion, diversity: a model that copies has the lowest of all."""
    scores = [Score(value=value, error=0.01, better="neither") for value in (0.0, 1.0)]
    assert ranks(scores) == [1, 1]


def test_a_protocol_of_that_name_with_other_choices_is_another():
    own, other = record(settings={"seed": 0, "metrics": []}), record(settings={"seed": 1, "metrics": []})
    assert own.comparable != other.comparable
    assert own.comparable == record(settings={"seed": 0, "metrics": [], "description": "mine"}).comparable
