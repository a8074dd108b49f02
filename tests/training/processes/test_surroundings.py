from __future__ import annotations

import resource
import shutil

import pytest

from inrvid import InrvidError
from inrvid.training.processes.surroundings import (
    SHARDING,
    check_open_files,
    check_shared_memory,
    checked,
    loader_trouble,
    mixed_precision,
    refuse_sharding,
)

from ..test_trainer import trainer


@pytest.mark.parametrize(("variable", "name"), SHARDING.items())
def test_sharding_is_refused_by_name(variable, name, monkeypatch):
    refuse_sharding()
    monkeypatch.setenv(variable, "true")
    with pytest.raises(InrvidError, match=name):
        refuse_sharding()


def test_trackers():
    with pytest.raises(InrvidError, match="tensorboard is no tracker here"):
        checked(["tensorboard"])
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


def test_too_small_a_shared_memory_is_named_before_the_training(tmp_path, monkeypatch):
    monkeypatch.setattr("inrvid.training.processes.surroundings.SHARED_MEMORY", tmp_path)
    free = shutil.disk_usage(tmp_path).free
    check_shared_memory(free, workers=0)
    check_shared_memory(free // 10, workers=1)
    with pytest.raises(InrvidError, match=r"2 loader workers need .* MiB there, .* are free: .*--shm-size"):
        check_shared_memory(free // 5, workers=2)


def test_the_limit_of_open_files_is_raised_or_named(monkeypatch):
    limits = [(20, 4096), (20, 100)]
    monkeypatch.setattr(resource, "getrlimit", lambda kind: limits[0])
    monkeypatch.setattr(resource, "setrlimit", lambda kind, limit: limits.append(limit))
    check_open_files(2)
    assert limits[2] == (192, 4096)
    monkeypatch.setattr(resource, "getrlimit", lambda kind: limits[1])
    with pytest.raises(InrvidError, match="at most 100 files may be open, training with 2 loader workers needs 192"):
        check_open_files(2)


def test_troubles_of_the_loader_have_a_remedy():
    full = RuntimeError("unable to write to file </torch_1>: No space left on device; shared memory")
    assert "--shm-size" in loader_trouble(full)
    assert "ulimit -n" in loader_trouble(OSError(24, "Too many open files"))
    assert loader_trouble(RuntimeError("DataLoader worker (pid 3) is killed by signal: Killed")) is None


def test_accelerate_s_mixed_precision_is_not_passed_over_in_silence(monkeypatch):
    monkeypatch.delenv("ACCELERATE_MIXED_PRECISION", raising=False)
    assert mixed_precision() is None
    monkeypatch.setenv("ACCELERATE_MIXED_PRECISION", "bf16")
    assert "train.precision" in mixed_precision()
