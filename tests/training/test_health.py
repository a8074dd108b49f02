"""What happens in days of training, made to happen in seconds."""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import os
import signal
from unittest.mock import Mock

import pytest
import torch

from inrvid import InrvidError
from inrvid.data.clips import loader
from inrvid.training.health import PATIENCE, Health
from inrvid.training.keeping import checkpoints
from inrvid.training.trainer import Interrupted

from .test_trainer import trainer

GOOD = {"loss/G": 1.0, "loss/D": 1.0, "sign/real_a": 0.5, "sign/fake_a": -0.5}


@pytest.mark.parametrize(
    ("values", "message", "lasting"),
    [
        ({"nonfinite/G": 0.5}, "gradients were not finite", False),
        ({"sign/real_a": 0.99, "sign/fake_a": -0.99}, "certain of every clip", True),
        ({"augment/p": 0.9}, "augmentation is at its strongest", True),
        ({"seconds/data": 0.5, "seconds/step": 1.0}, "waits for data", True),
    ],
)
def test_trouble_is_told_once(values, message, lasting):
    said = []
    health = Health(said.append)
    for _ in range(PATIENCE - 1):
        health.observe(GOOD)
        health.observe({**GOOD, **values})
    assert len(said) == (0 if lasting else 1)
    for _ in range(2 * PATIENCE):
        health.observe({**GOOD, **values})
    assert len(said) == 1
    assert message in said[0]


def test_growing_memory_is_told():
    said = []
    health = Health(said.append)
    for gib in (10.0, 10.5, 11.0, 14.0, 15.0):
        health.observe({**GOOD, "memory/gib": gib})
    assert len(said) == 1
    assert "from 10.0 to 14.0 GiB" in said[0]


def with_nan(run, steps):
    """Make the losses of these calls NaN, once each."""
    training, calls = run.training, []

    class Step:
        def __call__(self, number, batches, **keys):
            calls.append(number)
            log = training(number, batches, **keys)
            return {**log, "loss/G": torch.tensor(float("nan"))} if len(calls) in steps else log

        def __getattr__(self, name):
            return getattr(training, name)

        def __setattr__(self, name, value):
            setattr(training, name, value)

    run.training = Step()
    return calls


def test_rollback_goes_on_from_the_last_checkpoint_with_another_draw(tiny, tmp_path, monkeypatch):
    recipe = tiny("train.kclips=0.048", "train.checkpoint_kclips=0.016", "train.on_divergence=rollback")
    loaded = Mock(side_effect=loader)
    monkeypatch.setattr("inrvid.training.batches.loader", loaded)
    run = trainer(recipe, tmp_path / "run")
    calls = with_nan(run, {6})
    run.run()
    assert calls == [*range(6), *range(4, 12)]  # at step 6 it goes back to the checkpoint of step 4
    assert run.rollbacks == 1
    assert run.training.seed != recipe.seed
    assert [call.args[0].seed for call in loaded.call_args_list] == [recipe.seed, run.training.seed]
    assert "going back to the last checkpoint" in run.console.file.getvalue()
    resumed = trainer(recipe, tmp_path / "other", resume=checkpoints(tmp_path / "run" / "checkpoints")[-1])
    assert resumed.training.seed == run.training.seed


def test_a_signal_before_a_rollback_stops_after_it(tiny, tmp_path, monkeypatch):
    """What is saved then has the rollback's draws."""
    recipe = tiny("train.kclips=0.048", "train.checkpoint_kclips=0.016", "train.on_divergence=rollback")
    run = trainer(recipe, tmp_path / "run")
    calls = with_nan(run, {6})
    diverged = Health.diverged

    def observed(self, values):
        if found := diverged(self, values):
            os.kill(os.getpid(), signal.SIGTERM)
        return found

    monkeypatch.setattr(Health, "diverged", observed)
    with pytest.raises(Interrupted):
        run.run()
    assert calls == [*range(6)]
    newest = checkpoints(tmp_path / "run" / "checkpoints")[-1]
    manifest = json.loads((newest / "manifest.json").read_text())
    assert (manifest["step"], manifest["rollbacks"]) == (4, 1)


def test_divergence_without_a_checkpoint_or_without_end(tiny, tmp_path):
    run = trainer(tiny("train.kclips=0.048", "train.on_divergence=rollback"), tmp_path / "run")
    with_nan(run, {2})
    with pytest.raises(InrvidError, match="there is no checkpoint yet"):
        run.run()
    run = trainer(
        tiny("train.kclips=0.048", "train.checkpoint_kclips=0.004", "train.on_divergence=rollback"), tmp_path / "other"
    )
    with_nan(run, set(range(4, 100)))
    with pytest.raises(InrvidError, match="after 10 rollbacks"):
        run.run()


def test_stop_and_warn(tiny, tmp_path):
    run = trainer(tiny("train.kclips=0.048", "train.on_divergence=stop"), tmp_path / "run")
    with_nan(run, {6})
    with pytest.raises(InrvidError, match=r"a loss is not finite at 24 clips \(loss/\w+\): stopped"):
        run.run()
    run = trainer(tiny("train.kclips=0.048"), tmp_path / "other")
    with_nan(run, {6})
    run.run()
    assert "a loss is not finite at 24 clips" in run.console.file.getvalue()
    assert run.clips == 48


def test_weights_that_are_not_finite_are_not_saved(tiny, tmp_path):
    run = trainer(tiny("train.kclips=0.016", "train.checkpoint_kclips=0.008"), tmp_path / "run")
    run.run()
    with torch.no_grad():
        next(run.training.D.parameters()).fill_(float("nan"))
    run.clips = 99
    run._save()
    assert "no checkpoint is written" in run.console.file.getvalue()
    assert [int(p.name[6:]) for p in checkpoints(tmp_path / "run" / "checkpoints")] == [8, 16]


def test_a_dead_loader_worker_is_replaced(tiny, tmp_path):
    settings = ("train.kclips=0.08", "data.in_memory=false", "data.workers=1")
    calm = trainer(tiny(*settings), tmp_path / "calm")
    calm.run()
    run = trainer(tiny(*settings), tmp_path / "run")
    batches = run._batches()
    run._batches = lambda: killing(run, batches)
    run.run()
    assert "a loader worker died and is replaced" in run.console.file.getvalue()
    for expected, value in zip(calm.training.G.parameters(), run.training.G.parameters(), strict=True):
        assert torch.equal(expected, value)  # not even a sample is lost


def killing(run, batches):
    """The batches; at step 5 the loader's worker is killed."""
    with contextlib.closing(batches):
        for batch in batches:
            if run.step == 5:
                for worker in multiprocessing.active_children():
                    os.kill(worker.pid, signal.SIGKILL)
            yield batch


@pytest.mark.parametrize("doubtful", ["sign/real_b", "sign/fake_b"])
def test_of_several_heads_all_must_be_certain(doubtful):
    certain = {"sign/real_a": 1.0, "sign/real_b": 1.0, "sign/fake_a": -1.0, "sign/fake_b": -1.0}
    said = []
    health = Health(said.append)
    for _ in range(2 * PATIENCE):
        health.observe({**certain, doubtful: 0.0})
    assert said == []
