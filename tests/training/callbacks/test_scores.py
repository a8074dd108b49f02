"""Scores by a protocol and at intervals: what is written, when, and what is refused before the training."""

from __future__ import annotations

import json
import math
import os
import signal

import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from inrvid import InrvidError, load_recipe
from inrvid.evaluation.clips import GeneratorClips
from inrvid.evaluation.evaluate import Evaluation
from inrvid.evaluation.record import read_record
from inrvid.evaluation.score import Scorer
from inrvid.report.page import write_comparison, write_report
from inrvid.training.keeping import checkpoints, newest_intact
from inrvid.training.trainer import Interrupted

from ...cli.test_cli import inrvid
from ..conftest import TINY
from ..test_processes import run as train
from ..test_trainer import metrics, trainer

PROTOCOL = """
name: small
clips: 6
runs: 2
metrics:
  - {type: statistics}
  - {type: precision_recall, detector: {type: random}, frames: 4}
"""
NAMES = {"statistics/spatial", "statistics/temporal", "precision_recall4/precision", "precision_recall4/recall"}


@pytest.fixture
def protocol(tmp_path, monkeypatch):
    monkeypatch.setenv("INRVID_CACHE", str(tmp_path / "cache"))
    path = tmp_path / "small.yaml"
    path.write_text(PROTOCOL)
    return path


def measured(protocol, interval=0.008, more=""):
    return f"eval={{protocol: {protocol}, interval_kclips: {interval}{more}}}"


def scored(folder):
    """(clips, scores by name) of the lines that have any."""
    lines = [(x["clips"], {k[6:]: v for k, v in x.items() if k.startswith("score/")}) for x in metrics(folder)]
    return [line for line in lines if line[1]]


def test_what_a_protocol_leaves(tiny, protocol, tmp_path):
    folder = tmp_path / "run"
    run = trainer(tiny("train.kclips=0.024", "train.tensorboard=true", measured(protocol)), folder)
    scores = run.run()
    record = read_record(folder / "evaluation.json")
    assert record == read_record(folder / "model" / "evaluation.json")
    assert (record.protocol, record.variant, record.fake.name) == ("small", {}, str(folder))
    assert {name: score.value for name, score in record.scores.items()} == scores
    assert {score.how for score in record.scores.values()} == {"runs"}
    assert [clips for clips, _ in scored(folder)] == [8, 16, 24]
    assert all(set(line) == NAMES for _, line in scored(folder))
    assert scored(folder)[-1][1] == scores
    assert not (folder / "scores.json").exists()
    board = EventAccumulator(str(folder / "tensorboard")).Reload()
    found = [(event.step, event.value) for event in board.Scalars("score/statistics/spatial")]
    assert found[-1] == (24, pytest.approx(scores["statistics/spatial"]))
    assert [step for step, _ in found] == [8, 16, 24]
    said = run.console.file.getvalue()
    assert "scores at 8 clips: statistics/spatial" in said
    assert "scores by protocol small 1" in said
    page = write_report(folder).read_text()
    assert "Scores by protocol small 1" in page
    assert "None clips a second" not in page
    assert "<figcaption>Scores</figcaption>" in page
    assert "precision_recall4/recall" in write_comparison([folder, folder], tmp_path / "c.html").read_text()


def test_the_record_is_that_of_the_command(tiny, protocol, tmp_path):
    """Of the model that was saved: comparable, and the same numbers."""
    folder = tmp_path / "run"
    trainer(tiny("train.kclips=0.008", measured(protocol)), folder).run()
    inrvid(
        "evaluate", folder, "--protocol", protocol, "--force", "--any-rate", "--cpu", "-o", "again.json", cwd=tmp_path
    )
    own, again = read_record(folder / "evaluation.json"), read_record(tmp_path / "again.json")
    assert own.comparable == again.comparable
    assert own.fake == again.fake
    for name, score in own.scores.items():
        assert again.scores[name].value == pytest.approx(score.value, rel=1e-6)
    told = inrvid("evaluate", "--leaderboard", ".", "--json", cwd=tmp_path)
    (group,) = json.loads(told.stdout)["groups"]
    assert [one["scores"]["statistics/spatial"]["rank"] for one in group["records"]] == [1, 1]


def test_the_training_is_that_without(tiny, protocol, tmp_path):
    """What is saved, to the byte; and nothing is drawn from the global random states."""
    files = []
    for name, settings in (("without", []), ("with", [measured(protocol, 0.004)])):
        torch.manual_seed(0)
        trainer(tiny("train.kclips=0.016", *settings), tmp_path / name).run()
        newest = checkpoints(tmp_path / name / "checkpoints")[-1]
        files.append(({path.name: path.read_bytes() for path in newest.iterdir()}, torch.rand(1)))
    assert files[0] == files[1]


def test_at_intervals_without_a_protocol(tiny, tmp_path):
    folder = tmp_path / "run"
    settings = "eval={metrics: [{type: statistics}], clips: 4, interval_kclips: 0.008}"
    scores = trainer(tiny("train.kclips=0.016", settings), folder).run()
    assert [clips for clips, _ in scored(folder)] == [8, 16]
    assert scored(folder)[-1][1] == scores
    assert json.loads((folder / "scores.json").read_text())["trained"] == scores
    assert not (folder / "evaluation.json").exists()


def test_without_the_new_keys_nothing_more_is_written(tiny, tmp_path):
    folder = tmp_path / "run"
    trainer(tiny("train.kclips=0.016", "eval={metrics: [{type: statistics}], clips: 4}"), folder).run()
    assert scored(folder) == []
    assert not (folder / "evaluation.json").exists()


def test_the_best_by_a_protocol_s_score_is_kept(tiny, protocol, tmp_path):
    settings = ("train.kclips=0.024", "train.checkpoint_kclips=0.008", "train.keep_best=precision_recall4/recall")
    folder = tmp_path / "run"
    trainer(tiny(*settings, measured(protocol, "null")), folder).run()
    newest = newest_intact(folder / "checkpoints")
    assert set(json.loads((newest / "manifest.json").read_text())["scores"]) == NAMES


def test_a_record_does_not_outlive_its_model(tiny, protocol, tmp_path):
    folder = tmp_path / "run"
    trainer(tiny("train.kclips=0.008", measured(protocol)), folder).run()
    newest = newest_intact(folder / "checkpoints")
    trainer(tiny("train.kclips=0.016"), folder, resume=newest).run()
    assert not (folder / "model" / "evaluation.json").exists()


def test_scores_do_not_outlive_their_model(tiny, tmp_path):
    """They were published with the next one."""
    folder, measured = tmp_path / "run", "eval={metrics: [{type: statistics}], clips: 4}"
    trainer(tiny("train.kclips=0.008", measured), folder).run()
    assert (folder / "scores.json").exists()
    trainer(tiny("train.kclips=0.016"), folder, resume=newest_intact(folder / "checkpoints")).run()
    assert not (folder / "scores.json").exists()


def test_a_generator_is_scored_once(tiny, tmp_path, monkeypatch):
    """Whoever asks: the interval, the checkpoint to keep, the end; and the untrained one."""
    asked, score = [], Scorer.__call__
    monkeypatch.setattr(Scorer, "__call__", lambda self, *given: asked.append(1) or score(self, *given))
    settings = ("train.kclips=0.016", "train.checkpoint_kclips=0.008", "train.keep_best=statistics/spatial")
    measured = "eval={metrics: [{type: statistics}], clips: 4, interval_kclips: 0.008}"
    run = trainer(tiny(*settings, measured), tmp_path / "run")
    assert run.run() == scored(tmp_path / "run")[-1][1]
    assert len(asked) == 3
    assert [clips for clips, _ in scored(tmp_path / "run")] == [8, 16]


def test_scores_that_fail_on_the_way_are_told(tiny, protocol, tmp_path, monkeypatch):
    run = trainer(tiny("train.kclips=0.012", measured(protocol)), tmp_path / "run")

    def failing(self):
        raise InrvidError("a bad day")

    monkeypatch.setattr(Evaluation, "__call__", failing)
    with pytest.raises(InrvidError, match="eval: a bad day\n  training is complete, the model is in"):
        run.run()
    assert "warning: no scores at 8 clips: a bad day" in run.console.file.getvalue()
    assert (tmp_path / "run" / "model").exists()


@pytest.mark.parametrize("by_protocol", [False, True])
def test_a_signal_does_not_wait_for_scores_and_the_state_is_saved(tiny, protocol, tmp_path, monkeypatch, by_protocol):
    """Schedulers kill a minute after they ask; `keep_best` scores before it saves."""
    calls, read = [], GeneratorClips.read

    def signalled(self, window, clips):
        calls.append(window)
        assert len(calls) == 1
        os.kill(os.getpid(), signal.SIGTERM)
        return read(self, window, clips)

    monkeypatch.setattr(GeneratorClips, "read", signalled)
    alone = "eval={metrics: [{type: statistics}], clips: 4, interval_kclips: 0.008}"
    settings = ("train.kclips=0.032", "train.checkpoint_kclips=0.016", "train.keep_best=statistics/spatial")
    run = trainer(tiny(*settings, measured(protocol) if by_protocol else alone), tmp_path / "run")
    with pytest.raises(Interrupted):
        run.run()
    assert len(calls) == 1
    assert "warning: no scores at 8 clips: SIGTERM asks the training to stop" in run.console.file.getvalue()
    assert newest_intact(tmp_path / "run" / "checkpoints").name == "clips-000000000008"
    assert "warning: the checkpoint of 8 clips has no scores: SIGTERM" in run.console.file.getvalue()


def test_two_processes_score_as_one(protocol, tmp_path):
    found = []
    for processes in (1, 2):
        folder = tmp_path / str(processes)
        train(folder, "--set", measured(protocol, 0.024), clips=60, processes=processes)
        assert [clips for clips, _ in scored(folder)] == [24, 48, 60]
        found.append(read_record(folder / "evaluation.json"))
    assert found[0].comparable == found[1].comparable
    for name, score in found[0].scores.items():
        assert found[1].scores[name].value == pytest.approx(score.value, rel=1e-3)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (
            [", clips: 100"],
            r"eval: .*there are \d+ held-out clips of 4 frames, to be scored are 100: --set eval\.clips",
        ),
        ([", clips: 3"], "eval: precision and recall|eval: .*at least 4"),
        (
            [", data: {frames: 8}, metrics: [{type: statistics, frames: 9}]"],
            "there are 0 held-out clips of 9 frames, .* in longer videos",
        ),
        ([", metrics: [{type: statistics, frames: 2}]"], "statistics needs at least 3 frames, got 2"),
        ([", metrics: [{type: fvd, detector: {type: i3d, weights: nowhere.pt}}]"], "eval: .*nowhere"),
    ],
)
def test_what_cannot_be_scored_is_found_before_the_training(tiny, protocol, tmp_path, settings, told):
    with pytest.raises(InrvidError, match=told):
        trainer(tiny("train.kclips=0.008", measured(protocol, 0.008, *settings)), tmp_path / "run")
    assert not list((tmp_path / "run").iterdir())


def test_a_wrong_protocol_is_refused_with_the_recipe(tiny, tmp_path):
    with pytest.raises(InrvidError, match=r"--set  eval\.protocol: no protocol 'inrvd'.*Did you mean 'inrvid'\?"):
        tiny("eval={protocol: inrvd}")
    (tmp_path / "x.yaml").write_text("{name: x, metrics: [{type: fvb}]}")
    with pytest.raises(InrvidError, match=r"eval\.protocol: .*x\.yaml: metrics\.0\.type: no metric named 'fvb'"):
        tiny(f"eval={{protocol: {tmp_path / 'x.yaml'}}}")


def test_whose_metrics_and_clips_are_used(protocol, tmp_path, monkeypatch):
    """The protocol's, unless others are written with it or after it; and the same when the recipe is read again."""
    monkeypatch.chdir(tmp_path)
    notes = []
    recipe = load_recipe("quickstart", [*TINY[:-1], "eval.protocol=small.yaml"], report=notes.append)
    assert [metric.type for metric in recipe.eval.metrics] == ["statistics", "precision_recall"]
    assert (recipe.eval.clips, recipe.eval.protocol) == (6, str(protocol))
    assert notes == ["eval: protocol none → small.yaml; metrics and clips are now those of the protocol"]
    (tmp_path / "saved.yaml").write_text(recipe.to_yaml())
    assert load_recipe("saved.yaml") == recipe
    assert load_recipe("saved.yaml", ["eval.clips=5"]).eval.clips == 5
    written = load_recipe("quickstart", ["eval.protocol=small.yaml", "eval.metrics=[{type: fid}]"])
    assert [metric.type for metric in written.eval.metrics] == ["fid"]
    assert load_recipe("quickstart").eval.protocol is None


def test_quick_scores_are_as_before(tiny, tmp_path):
    recipe = tiny("eval={metrics: [{type: statistics}], clips: 4}")
    run = trainer(recipe, tmp_path / "run")
    scorer = Scorer(run.recipe, torch.device("cpu"))
    assert all(math.isfinite(value) for value in scorer(run.generator).values())
