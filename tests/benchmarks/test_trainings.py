"""Systems trained alike: where they stop, what is done once, and the page."""

from __future__ import annotations

import argparse
import dataclasses
import sys
import threading

import numpy as np
import pytest

from benchmarks.trainings import run
from benchmarks.trainings.__main__ import chosen, main
from benchmarks.trainings.floor import clips, score_data
from benchmarks.trainings.page import shown, write_pages
from benchmarks.trainings.plan import Plan, load_plan
from inrvid import load_recipe
from inrvid.data.open import open_dataset
from inrvid.errors import InrvidError
from inrvid.evaluation.record import Record, Score, Side
from inrvid.packages import missing
from inrvid.video_io import write_image, write_video

PLAN = Plan(title="two", kclips=10, minutes=5, systems=({"name": "a", "recipe": "quickstart"},))
START, A_CLIP = 4.0, 0.05
"""Seconds of a made-up machine."""


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """Commands that take their time without being run."""
    done, clock = [], [0.0]

    def command(folder, name, *arguments):
        began = clock[0]
        if name == "train":
            clips = 1000 * float(next(a for a in arguments if "kclips" in a).partition("=")[2])
            clock[0] += START + A_CLIP * (clips - sum(c for c, _ in done[-1:]))
            done.append((clips, name))
        else:
            side = Side(name="x", kind="model", fingerprint="", fps=25.0)
            scores = {"fvd16": Score(value=123.4, error=5.67)}
            record = Record(
                protocol="inrvid", protocol_version=1, settings={}, resolution=[32, 32], real=side, fake=side,
                scores=scores, date="2026-01-01", device="cpu",
            )  # fmt: skip
            record.write(folder / arguments[-1])
        return run.Used(seconds=clock[0] - began, megabytes=100.0)

    def draw(model, path, times, *, gpu):
        write_image(path, np.zeros((4, 4, 3), np.uint8))
        return 1.5

    monkeypatch.setattr(run, "_inrvid", command)
    monkeypatch.setattr(run, "draw", draw)
    return done


@pytest.fixture
def training(tmp_path):
    return run.Training(PLAN, PLAN.systems[0], 0, tmp_path / "a")


def test_both_stops_are_reached_by_the_processor_s_time(machine, training, tmp_path):
    run.compare(training)
    assert [clips for clips, _ in machine] == [500, 2500, 6000, 10000]  # 5 minutes of 20 clips a second are 6000
    spent = run.read(tmp_path / "a" / "spent.json", run.Spent)
    assert spent.clips_a_minute == pytest.approx(60 / A_CLIP)
    assert spent.stops["minutes"].minutes == pytest.approx(5)
    run.compare(training)
    assert len(machine) == 4  # what is done is not done again


def test_without_minutes_one_training_is_all(machine, training, tmp_path):
    plan = PLAN.model_copy(update={"minutes": 0})
    run.compare(dataclasses.replace(training, plan=plan))
    assert [clips for clips, _ in machine] == [10000]
    _, table, *pictures = write_pages(plan, tmp_path)
    assert [picture.name for picture in pictures] == ["clips.png"]
    assert "minutes of one core" not in table.read_text()
    with pytest.raises(InrvidError, match="was begun with --minutes 0"):
        run.compare(training)
    assert f"| {10_000 / (START + 10_000 * A_CLIP):.1f} |" in table.read_text()


def test_trainings_at_once(machine, monkeypatch, tmp_path, capsys):
    (tmp_path / "x.yaml").write_text(
        "title: x\nkclips: 1\nminutes: 1\nsystems: [{name: a, recipe: quickstart}, {name: b, recipe: quickstart}]\n"
    )
    both = threading.Barrier(2, timeout=60)
    made = run._inrvid

    def command(*arguments):
        both.wait()
        return made(*arguments)

    monkeypatch.setattr(run, "_inrvid", command)
    options = ["-o", str(tmp_path / "out"), "--minutes", "0", "--jobs", "2", "--only", "a", "--only", "b"]
    monkeypatch.setattr(sys, "argv", ["trainings", str(tmp_path / "x.yaml"), *options])
    assert main() == 0, capsys.readouterr().err
    assert [clips for clips, _ in machine] == [1000, 1000]


def test_a_killed_comparison_goes_on_where_it_was(machine, training, monkeypatch):
    with monkeypatch.context() as killed:
        killed.setattr(run, "_score", lambda *arguments: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            run.compare(training)
    run.compare(training)
    assert [clips for clips, _ in machine] == [500, 2500, 6000, 10000]


def test_page_and_table(machine, training, tmp_path):
    run.compare(training)
    page, table, *pictures = write_pages(PLAN, tmp_path)
    assert [picture.name for picture in pictures] == ["clips.png", "minutes.png"]
    assert all(picture.exists() for picture in pictures)
    assert "| a | quickstart | 1 | 10,000 | 8.3 | 20.0 | 1.5 | 100 | 123 ± 5.7 |" in table.read_text()
    assert page.read_text().count("data:image/webp") == 2
    again = write_pages(PLAN.model_copy(update={"minutes": 0}), tmp_path)[1]
    assert "## After 5 minutes of one core" in again.read_text()  # what was scored, whatever is asked for now


def test_the_data_s_own_score_is_made_once_and_stands_below_the_models(machine, training, monkeypatch, tmp_path):
    plan = PLAN.model_copy(update={"clips": 2, "own": {"videos": 2, "frames": 16}})
    asked = []

    def command(folder, name, *arguments):
        asked.append(arguments)
        return made(folder, name, *arguments)

    made = run._inrvid
    monkeypatch.setattr(run, "_inrvid", command)
    run.compare(training)
    for _ in range(2):
        score_data(plan, tmp_path, gpu=False)
    assert [arguments[0] for arguments in asked].count(str(tmp_path / "data")) == 1
    videos = open_dataset({"type": "videos", "path": str(tmp_path / "data"), "resolution": 32, "clip_length": 16})
    assert [videos.length(number) for number in range(len(videos))] == [16, 16]
    table = write_pages(PLAN, tmp_path)[1]
    assert "| the data | | | — | — | — | — | — | 123 ± 5.7 |" in table.read_text()
    (tmp_path / "data.json").unlink()
    score_data(plan.model_copy(update={"clips": 1}), tmp_path, gpu=False)
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["0000.mp4"]  # nothing of an earlier run's
    (tmp_path / "data.json").unlink()
    (tmp_path / "data" / "mine.mp4").touch()
    with pytest.raises(InrvidError, match=r"files that are not of a comparison \(mine\.mp4\)"):
        score_data(plan, tmp_path, gpu=False)
    assert (tmp_path / "data" / "mine.mp4").exists()


def test_data_that_are_too_short_are_told_before_anything_is_trained(machine, monkeypatch, capsys, tmp_path):
    (tmp_path / "set.yaml").write_text(
        "{title: two, kclips: 10, minutes: 5, frames: 99, own: {videos: 2, frames: 16}, "
        "systems: [{name: a, recipe: quickstart}]}"
    )
    monkeypatch.setattr(sys, "argv", ["trainings", str(tmp_path / "set.yaml"), "-o", str(tmp_path / "out")])
    assert main() == 2
    assert "own: none of 2 videos has 99 frames" in capsys.readouterr().err
    assert machine == []


def test_a_set_says_what_is_learned_from_and_what_is_held_out(training, monkeypatch):
    """Any videos, cut and scored as it says."""
    asked = []
    monkeypatch.setattr(run, "_inrvid", lambda folder, *arguments: asked.extend(arguments))
    plan = PLAN.model_copy(update={"against": "film/test", "choices": ("real.one_a_video=false",)})
    run.evaluate(plan, "clips", training.folder, training.folder / "x.json", gpu=False)
    assert asked[asked.index("--against") + 1] == "film/test"
    assert [asked[i + 1] for i, word in enumerate(asked) if word == "--set"] == ["clips=256", "real.one_a_video=false"]


def test_the_data_s_own_clips_are_of_all_videos_and_do_not_overlap(tmp_path):
    for name, frames in (("a", 40), ("b", 15), ("c", 64)):
        write_video(tmp_path / f"{name}.mp4", np.zeros((frames, 8, 8, 3), np.uint8), 25)
    videos = open_dataset({"type": "videos", "path": str(tmp_path), "resolution": 8, "clip_length": 8})
    assert clips(videos, 16, 3) == [(0, 0), (2, 0), (2, 32)]
    assert clips(videos, 16, 99) == [(0, 0), (0, 16), (2, 0), (2, 16), (2, 32), (2, 48)]


def test_an_error_is_at_least_the_spread_between_seeds():
    assert shown([]) == "—"
    assert shown([Score(value=123.4, error=5.67)]) == "123 ± 5.7"
    assert shown([Score(value=100, error=5), Score(value=104, error=7)]) == "102 ± 6"
    assert shown([Score(value=100, error=5), Score(value=140, error=7)]) == "120 ± 28"
    assert shown([Score(value=0.25)]) == "0.25"
    assert shown([Score(value=711, error=104)]) == "711 ± 100"


def test_combinations_are_systems_of_recipes_that_exist():
    plan = load_plan("crosses")
    assert len(plan.all_systems) == 18
    for system in plan.all_systems:
        if missing(system.packages):
            continue
        recipe = load_recipe(system.recipe, [*plan.set, *system.set])
        parts = recipe.generator.type, recipe.generator.motion.type, recipe.discriminator.type
        assert system.name == "-".join(parts)


def test_all_of_a_seed_come_before_the_next(tmp_path):
    options = argparse.Namespace(set="crosses", out=tmp_path, only=[], seed=[], gpu=False)
    plan = load_plan("crosses")
    found = list(chosen(plan, options))
    assert [training.seed for training in found] == [0] * 18 + [1] * 18
    assert len({training.folder for training in found}) == 36
    options = argparse.Namespace(set="crosses", out=tmp_path, only=["inr_gan-lstm-dual"], seed=[1], gpu=False)
    assert [training.folder.name for training in chosen(plan, options)] == ["inr_gan-lstm-dual.1"]
    with pytest.raises(InrvidError, match="nobody, 7: no such system, or seed, in crosses"):
        list(chosen(plan, argparse.Namespace(**{**vars(options), "only": ["nobody"], "seed": [7]})))


def test_what_was_begun_without_a_gpu_does_not_go_on_with_one(machine, training):
    run.compare(training)
    with pytest.raises(InrvidError, match="was begun without a GPU"):
        run.compare(dataclasses.replace(training, gpu=True))


def test_a_set_that_is_none_is_one_line(tmp_path):
    assert len(load_plan("successors").systems) > 4
    with pytest.raises(InrvidError, match=r"nothing: no such set .*: a file, or one of bunny, crosses, successors"):
        load_plan("nothing")
    (tmp_path / "x.yaml").write_text("title: x\nkclips: 1\nminutes: 1\nsystems: [{name: a, recipes: b}]\n")
    with pytest.raises(InrvidError, match=r"systems\.0\.recipes: unknown key"):
        load_plan(str(tmp_path / "x.yaml"))
