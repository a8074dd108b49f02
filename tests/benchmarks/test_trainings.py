"""Systems trained alike: where they stop, what is done once, and the page."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.trainings import run
from benchmarks.trainings.page import write_pages
from benchmarks.trainings.plan import Plan, load_plan
from inrvid.errors import InrvidError
from inrvid.evaluation.record import Record, Score, Side
from inrvid.video_io import write_image

PLAN = Plan(title="two", kclips=10, minutes=5, systems=({"name": "a", "recipe": "quickstart"},))
START, A_CLIP = 4.0, 0.05
"""Seconds of a made-up machine."""


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """Commands that take their time without being run."""
    done, clock = [], [0.0]

    def command(folder, name, *arguments):
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

    monkeypatch.setattr(run, "_inrvid", command)
    monkeypatch.setattr(run, "_used", lambda: clock[0])
    monkeypatch.setattr(run, "draw", lambda model, path: write_image(path, np.zeros((4, 4, 3), np.uint8)))
    return done


def test_both_stops_are_reached_by_the_processor_s_time(machine, tmp_path):
    run.compare(PLAN, PLAN.systems[0], tmp_path)
    assert [clips for clips, _ in machine] == [500, 2500, 6000, 10000]  # 5 minutes of 20 clips a second are 6000
    spent = run.read(tmp_path / "a" / "spent.json", run.Spent)
    assert spent.clips_a_minute == pytest.approx(60 / A_CLIP)
    assert spent.stops["minutes"].minutes == pytest.approx(5)
    run.compare(PLAN, PLAN.systems[0], tmp_path)
    assert len(machine) == 4  # what is done is not done again


def test_a_killed_comparison_goes_on_where_it_was(machine, tmp_path, monkeypatch):
    with monkeypatch.context() as killed:
        killed.setattr(run, "_score", lambda *arguments: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            run.compare(PLAN, PLAN.systems[0], tmp_path)
    run.compare(PLAN, PLAN.systems[0], tmp_path)
    assert [clips for clips, _ in machine] == [500, 2500, 6000, 10000]


def test_page_and_table(machine, tmp_path):
    run.compare(PLAN, PLAN.systems[0], tmp_path)
    page, table = write_pages(PLAN, tmp_path)
    assert "| a | quickstart (inrvid) | 10,000 | 8.3 | 20.0 | 123 ± 5.7 |" in table.read_text()
    assert page.read_text().count("data:image/png") == 2


def test_a_set_that_is_none_is_one_line(tmp_path):
    assert len(load_plan("successors").systems) > 4
    with pytest.raises(InrvidError, match=r"nothing: no such set .*: a file, or one of successors"):
        load_plan("nothing")
    (tmp_path / "x.yaml").write_text("title: x\nkclips: 1\nminutes: 1\nsystems: [{name: a, recipes: b}]\n")
    with pytest.raises(InrvidError, match=r"systems\.0\.recipes: unknown key"):
        load_plan(str(tmp_path / "x.yaml"))
