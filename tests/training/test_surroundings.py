from __future__ import annotations

import pytest

from inrvid import InrvidError
from inrvid.training.surroundings import SHARDING, checked, refuse_sharding

from .test_trainer import trainer


@pytest.mark.parametrize(("variable", "name"), SHARDING.items())
def test_sharding_is_refused_by_name(variable, name, monkeypatch):
    refuse_sharding()
    monkeypatch.setenv(variable, "true")
    with pytest.raises(InrvidError, match=name):
        refuse_sharding()


def test_trackers():
    assert checked(["tensorboard"]) == ["tensorboard"]
    with pytest.raises(InrvidError, match=r"no tracker named 'wandbb'\. Did you mean 'wandb'"):
        checked(["wandbb"])
    with pytest.raises(InrvidError, match="aim is not installed: pip install aim"):
        checked(["aim"])


def test_a_tracker_gets_the_values(tiny, tmp_path, monkeypatch):
    logged = []
    run = trainer(tiny("train.kclips=0.016"), tmp_path / "run")
    monkeypatch.setattr(run.accelerator, "log", lambda values, step: logged.append((step, values)))
    run.run()
    assert [step for step, _ in logged] == [8, 16]
    assert all("loss/G" in values and "clips_per_second" in values for _, values in logged)
