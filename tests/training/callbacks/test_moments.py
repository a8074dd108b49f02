"""Which moments a run has, in which order, and what has happened before each."""

from __future__ import annotations

import importlib
import io
import json
import os
import signal

import pytest
from rich.console import Console

from inrvid import InrvidError
from inrvid.applications.generate import video_of_seed
from inrvid.training.keeping import checkpoints
from inrvid.training.step import TrainingStep
from inrvid.training.trainer import Interrupted

from ..test_health import with_nan
from ..test_trainer import trainer

RECORDED = ("train.callbacks=[{type: recorder}]", "train.checkpoint_kclips=0.008")
MEASURED = "eval={metrics: [{type: statistics}], clips: 4}"


@pytest.fixture
def seen(installed):
    return importlib.import_module("moods").seen


def test_the_order_of_moments(seen, tiny, tmp_path):
    trainer(tiny("train.kclips=0.016", *RECORDED), tmp_path / "run").run()
    expected = [("start", 0), ("enter", 0), ("step", 4), ("checkpoint", 8), ("step", 8)]
    expected += [("step", 12), ("checkpoint", 16), ("step", 16), ("leave", 16), ("end", 16)]
    assert seen == expected


def test_a_complete_run_has_no_steps(seen, tiny, tmp_path):
    trainer(tiny("train.kclips=0.008"), tmp_path / "run").run()
    newest = checkpoints(tmp_path / "run" / "checkpoints")[-1]
    trainer(tiny("train.kclips=0.008", *RECORDED), tmp_path / "run", resume=newest).run()
    assert seen == [("start", 8), ("end", 8)]  # the checkpoint is there already


def test_what_a_callback_ends_is_logged_and_shown(installed, tiny, tmp_path):
    folder = tmp_path / "run"
    settings = ("train.kclips=0.016", "train.log_kclips=0.1", "train.sample_kclips=0.1")
    trainer(tiny(*settings, "train.callbacks=[{type: journal, stop_at: 8}]"), folder).run()
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    assert [line["clips"] for line in lines] == [8]
    assert "loss/G" in lines[0]
    assert (folder / "samples" / "clips-000000000008.png").exists()


def test_a_rollback_enters_again(seen, tiny, tmp_path):
    run = trainer(tiny("train.kclips=0.016", "train.on_divergence=rollback", *RECORDED), tmp_path / "run")
    with_nan(run, {4})
    run.run()
    before = [("start", 0), ("enter", 0), ("step", 4), ("checkpoint", 8), ("step", 8), ("step", 12), ("leave", 16)]
    assert seen == [
        *before,
        ("enter", 8),
        *[("step", 12), ("checkpoint", 16), ("step", 16), ("leave", 16), ("end", 16)],
    ]


@pytest.mark.parametrize("error", [InrvidError, KeyboardInterrupt])
def test_steps_are_left_whatever_happens(seen, tiny, tmp_path, error, monkeypatch):
    def failing(self, number, batches, **keys):
        raise error

    monkeypatch.setattr(TrainingStep, "__call__", failing)
    with pytest.raises(error):
        trainer(tiny("train.kclips=0.016", *RECORDED), tmp_path / "run").run()
    assert seen == [("start", 0), ("enter", 0), ("leave", 0)]


def test_the_library_s_own_come_first(seen, tiny, tmp_path, monkeypatch):
    """The log is written, the scores are there."""
    folder, found = tmp_path / "run", []
    moods = importlib.import_module("moods")
    count = lambda: len((folder / "metrics.jsonl").read_text().splitlines())  # noqa: E731
    monkeypatch.setattr(moods.Recorder, "on_step", lambda self, run, values: found.append((run.clips, count())))
    monkeypatch.setattr(moods.Recorder, "on_end", lambda self, run: found.append(run.scores))
    scores = trainer(tiny("train.kclips=0.016", MEASURED, *RECORDED), folder).run()
    assert found == [(4, 0), (8, 1), (12, 1), (16, 2), scores]
    assert scores


def test_a_wish_to_stop_completes_the_run(seen, tiny, tmp_path, monkeypatch):
    moods = importlib.import_module("moods")
    monkeypatch.setattr(
        moods.Recorder, "on_step", lambda self, run, values: run.clips >= 8 and run.stop("well trained")
    )
    run = trainer(tiny("train.kclips=1", "train.callbacks=[{type: recorder}]", MEASURED), tmp_path / "run")
    assert run.run()
    assert seen == [("start", 0), ("enter", 0), ("leave", 8), ("checkpoint", 8), ("end", 8)]
    assert "stopping at 8 clips: well trained" in run.console.file.getvalue()
    assert json.loads((tmp_path / "run" / "scores.json").read_text())["trained"] == run.scores


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("on_start", []),
        ("on_enter", [("start", 0), ("leave", 0), ("checkpoint", 0)]),
        ("on_step", [("start", 0), ("enter", 0), ("leave", 4), ("checkpoint", 4)]),
        ("on_checkpoint", [("start", 0), ("enter", 0), ("step", 4), ("step", 8), ("leave", 8)]),
    ],
)
def test_one_that_fails_ends_the_run_after_the_step(seen, tiny, tmp_path, monkeypatch, moment, expected):
    """It is saved, and neither scored nor published."""

    def failing(*arguments):
        raise ValueError("a bad mood")

    monkeypatch.setattr(importlib.import_module("moods").Recorder, moment, failing)
    run = trainer(tiny("train.kclips=0.016", MEASURED, *RECORDED), tmp_path / "run")
    with pytest.raises(
        InrvidError, match=r"'recorder' of moods 1\.0 failed at \d clips: ValueError: a bad mood"
    ) as caught:
        run.run()
    assert isinstance(caught.value.__cause__, ValueError)
    assert seen == expected
    assert not (tmp_path / "run" / "scores.json").exists()
    assert (tmp_path / "run" / "model").exists() == bool(expected)


def test_one_that_fails_at_the_end_has_a_scored_model(seen, tiny, tmp_path, monkeypatch):
    monkeypatch.setattr(importlib.import_module("moods").Recorder, "on_end", lambda self, run: 1 / 0)
    run = trainer(tiny("train.kclips=0.008", MEASURED, *RECORDED), tmp_path / "run")
    with pytest.raises(InrvidError, match="ZeroDivisionError"):
        run.run()
    assert json.loads((tmp_path / "run" / "scores.json").read_text())["trained"] == run.scores


def test_a_signal_counts_for_more_than_a_wish(seen, tiny, tmp_path, monkeypatch):
    moods = importlib.import_module("moods")

    def both(self, run, values):
        run.stopper._ask(15, None)
        run.stop("well trained")

    monkeypatch.setattr(moods.Recorder, "on_step", both)
    with pytest.raises(Interrupted):
        trainer(tiny("train.kclips=1", "train.callbacks=[{type: recorder}]"), tmp_path / "run").run()
    assert seen[-1] == ("checkpoint", 4)


def test_a_run_with_callbacks_is_the_run_without(installed, tiny, tmp_path):
    """What is saved, to the byte."""
    files = []
    for name, callbacks in (("without", "[]"), ("with", "[{type: journal}, {type: recorder}]")):
        trainer(tiny("train.kclips=0.016", f"train.callbacks={callbacks}"), tmp_path / name).run()
        newest = checkpoints(tmp_path / name / "checkpoints")[-1]
        files.append({path.name: path.read_bytes() for path in newest.iterdir()})
    assert files[0] == files[1]


def test_an_unknown_one_is_named(installed, tiny):
    with pytest.raises(
        InrvidError, match=r"train\.callbacks\.1\.type: no callback named 'moodi'\. Did you mean 'moody'"
    ):
        tiny("train.callbacks=[{type: recorder}, {type: moodi}]")
    with pytest.raises(InrvidError, match=r"train\.callbacks\.0\.stop: unknown key\. Did you mean 'stop_at'"):
        tiny("train.callbacks=[{type: journal, stop: 3}]")


def test_a_disk_that_fails_costs_samples_and_not_the_training(tiny, tmp_path, monkeypatch):
    def full(*arguments, **keys):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("inrvid.training.callbacks.samples.write_samples", full)
    lines = io.StringIO()
    recipe = tiny("train.kclips=0.016", "train.sample_kclips=0.008")
    run = trainer(recipe, tmp_path / "run", console=Console(file=lines, width=200))
    run.run()
    assert run.clips == 16
    assert "warning: no samples at 8 clips: [Errno 5] Input/output error; the training continues" in lines.getvalue()


def test_a_signal_does_not_wait_for_samples(tiny, tmp_path, monkeypatch):
    """1024×1024 take most of the minute that schedulers leave."""
    drawn = []

    def signalled(generator, seed, t):
        drawn.append(seed)
        if drawn.count(0) == 2:  # not of the untrained: there is nothing to save before
            os.kill(os.getpid(), signal.SIGTERM)
        return video_of_seed(generator, seed, t)

    monkeypatch.setattr("inrvid.training.samples.video_of_seed", signalled)
    lines = io.StringIO()
    recipe = tiny("train.kclips=0.032", "train.sample_kclips=0.008")
    run = trainer(recipe, tmp_path / "run", console=Console(file=lines, width=200))
    with pytest.raises(Interrupted):
        run.run()
    assert "warning: no samples at 8 clips: SIGTERM asks the training to stop\n" in lines.getvalue()
    assert drawn == [0, 1, 0]
    assert [path.name for path in (tmp_path / "run" / "checkpoints").iterdir()] == ["clips-000000000008"]
