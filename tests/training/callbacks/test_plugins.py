"""Callbacks of a package that is only installed, on the command line, in one process and two."""

from __future__ import annotations

import json
import subprocess

import pytest

from ..test_processes import command, distance, environment, run, weights

FEW = ["--set", "train.checkpoint_kclips=0.024"]


def with_callback(text):
    return [*FEW, "--set", f"train.callbacks=[{{{text}}}]"]


@pytest.fixture(scope="module")
def shorter(tmp_path_factory):
    """Weights of a run of 60 clips, without callbacks."""
    folder = tmp_path_factory.mktemp("shorter")
    run(folder, *FEW, clips=60)
    return weights(folder)


@pytest.mark.parametrize(("processes", "asking"), [(1, 0), (2, 0), (2, 1)])
def test_one_that_logs_and_asks_for_a_stop(installed, shorter, tmp_path, processes, asking):
    folder = tmp_path / "run"
    settings = with_callback(f"type: journal, stop_at: 60, process: {asking}")
    out = run(folder, *settings, processes=processes)
    assert out.count("stopping at 60 clips: it is enough") == (asking == 0)
    assert "model:" in out
    assert distance(weights(folder), shorter) < 1e-6
    journal = [json.loads(line) for line in (folder / "journal").read_text().splitlines()]
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    assert [clips for clips, _ in journal] == [12, 24, 36, 48, 60]
    assert [[line["clips"], line["loss/G"]] for line in lines] == [[c, pytest.approx(x, rel=1e-6)] for c, x in journal]
    assert (folder / "samples" / "clips-000000000060.png").exists()


@pytest.mark.parametrize(
    ("processes", "failing", "moment", "clips"),
    [
        (1, "[0]", "step", 36),
        (2, "[0, 1]", "step", 36),
        (2, "[0]", "checkpoint", 48),
        (2, "[1]", "leave", 60),
    ],
)
def test_one_that_fails_is_named_and_costs_nothing(installed, shorter, tmp_path, processes, failing, moment, clips):
    folder = tmp_path / "run"
    settings = with_callback(f"type: moody, moment: {moment}, clips: {clips}, processes: {failing}")
    done = failed(command(folder, *settings, processes=processes, clips=60))
    assert done.stderr.splitlines() == [
        f"callback 'moody' of moods 1.0 failed at {clips} clips: ValueError: a bad mood; training has stopped, the "
        "same command resumes it from the last checkpoint (--debug shows where)"
    ]
    assert max(int(path.name[6:]) for path in (folder / "checkpoints").glob("clips-*")) == clips
    run(folder, *FEW, clips=60)
    assert distance(weights(folder), shorter) < 1e-6


@pytest.mark.parametrize("moment", ["init", "start"])
def test_one_that_fails_at_the_start_is_named(installed, tmp_path, moment):
    folder = tmp_path / "run"
    done = failed(command(folder, *with_callback(f"type: moody, moment: {moment}, clips: 0"), clips=60))
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("callback 'moody' of moods 1.0 failed ")
    assert not (folder / "checkpoints").exists()


def failed(line):
    done = subprocess.run(line, env=environment(), capture_output=True, text=True, timeout=120)
    assert done.returncode == 2, done.stdout + done.stderr
    return done
