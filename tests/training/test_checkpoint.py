"""Checkpoints are whole, checked, and as many as asked for."""

from __future__ import annotations

import io
import json
import math
import os
import shutil
import subprocess
import sys

import pytest
from rich.console import Console
from safetensors.torch import load_file, save_file

from inrvid import InrvidError
from inrvid.files import sha256
from inrvid.training import checks
from inrvid.training.checkpoint import _own_digest, bytes_needed, damage, is_finite, save_checkpoint
from inrvid.training.keeping import checkpoints, newest_intact

from .test_trainer import trainer


@pytest.fixture
def run(tiny, tmp_path):
    run = trainer(tiny("train.kclips=0.032", "train.checkpoint_kclips=0.016"), tmp_path / "run")
    run.run()
    return tmp_path / "run"


def flip(path, position=-5):
    data = bytearray(path.read_bytes())
    data[position] ^= 1
    path.write_bytes(data)


def test_damaged_checkpoint_is_named_and_the_one_before_is_used(run):
    older, newer = checkpoints(run / "checkpoints")
    assert damage(newer) is None
    flip(newer / "ema.safetensors")
    said = []
    assert newest_intact(run / "checkpoints", said.append) == older
    assert len(said) == 1
    assert str(newer) in said[0]
    assert "ema.safetensors was altered" in said[0]


def change(path, sign=False, **values):
    """Other values in a manifest (None: the key is gone), with the digest that goes with them, or with the old one."""
    content = {**json.loads((path / "manifest.json").read_text()), **values}
    content = {key: value for key, value in content.items() if value is not None}
    if sign:
        content["sha256"] = _own_digest({key: value for key, value in content.items() if key != "sha256"})
    (path / "manifest.json").write_text(json.dumps(content))


def to_pipe(path):
    path.unlink()
    os.mkfifo(path)


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (lambda p: (p / "generator.safetensors").unlink(), "generator.safetensors is missing"),
        (lambda p: (p / "manifest.json").write_text("{"), "manifest.json: Invalid JSON"),
        (lambda p: (p / "manifest.json").unlink(), "manifest.json: cannot be read: No such file"),
        (lambda p: change(p, step=3), "manifest.json was altered"),
        (lambda p: change(p, clips=4), "manifest.json was altered"),
        (lambda p: change(p, files={}), "manifest.json was altered"),
        (lambda p: change(p, sign=True, files={}), "does not list the files of a checkpoint"),
        (lambda p: change(p, sign=True, clips=4), "says 4 clips, the folder's name 32"),
        (lambda p: change(p, rollbacks=None), "rollbacks: Field required"),
        (lambda p: change(p, step="3"), "step: Input should be a valid integer"),
        (lambda p: p.rename(p.with_name("x")) and p.symlink_to("x"), None),
        (lambda p: to_pipe(p / "ema.safetensors"), "ema.safetensors: a pipe, not a file"),
        (lambda p: flip(p / "optimizer_generator.safetensors", 20), "optimizer_generator.safetensors was altered"),
        (lambda p: (p / "discriminator.safetensors").write_bytes(b"short"), "discriminator.safetensors was altered"),
    ],
)
def test_every_damage_is_seen(run, harm, message):
    newest = checkpoints(run / "checkpoints")[-1]
    harm(newest)
    if message is None:
        assert newest not in checkpoints(run / "checkpoints")
    else:
        assert message in damage(newest)


def test_a_missing_state_of_an_optimizer_is_seen(run, tiny, tmp_path):
    """It was accepted once: training went on with Adam's moments at 0."""
    newest = checkpoints(run / "checkpoints")[-1]
    path = newest / "optimizer_generator.safetensors"
    tensors = load_file(path)
    gone = next(iter(tensors))
    save_file({name: value for name, value in tensors.items() if name != gone}, path)
    manifest = json.loads((newest / "manifest.json").read_text())
    change(newest, sign=True, files={**manifest["files"], path.name: sha256(path)})
    assert damage(newest) is None
    with pytest.raises(InrvidError, match="the optimizer's state is not that of this model"):
        trainer(tiny(), tmp_path / "other", resume=newest)
    said = io.StringIO()
    older = checkpoints(run / "checkpoints")[0]
    resumed = trainer(tiny(), run, resume=newest, fallbacks=[older], console=Console(file=said, width=999))
    assert resumed.clips == 16
    assert f"it is not used; {older} is" in said.getvalue()


def test_resuming_from_a_damaged_path_is_refused(run, tiny, tmp_path):
    newest = checkpoints(run / "checkpoints")[-1]
    flip(newest / "ema.safetensors")
    with pytest.raises(InrvidError, match="was altered on disk"):
        trainer(tiny(), tmp_path / "other", resume=newest)


def test_scores_are_saved_with_checkpoints(tiny, tmp_path):
    measured = "eval={metrics: [{type: statistics}], clips: 16, data: {split: test}}"
    settings = ("train.kclips=0.016", "train.checkpoint_kclips=0.008", "train.keep_best=statistics/temporal")
    trainer(tiny(measured, *settings), tmp_path / "run").run()
    for path in checkpoints(tmp_path / "run" / "checkpoints"):
        assert set(json.loads((path / "manifest.json").read_text())["scores"]) == {
            "statistics/spatial",
            "statistics/temporal",
        }
    with pytest.raises(InrvidError, match=r"'statistics/temporal' is not measured: eval\.metrics has nothing"):
        trainer(tiny(*settings), tmp_path / "other")
    part = "train.keep_best=statistics"
    with pytest.raises(InrvidError, match="'statistics' is not measured: expected statistics/spatial or"):
        trainer(tiny(measured, part), tmp_path / "other")


def test_another_augmentation_begins_anew(run, tiny, tmp_path):
    """Which the advice on trouble is, to runs that are under way."""
    newest, said = checkpoints(run / "checkpoints")[-1], io.StringIO()
    ada = "augment={type: ada, initial: 0.25}"
    other = trainer(tiny(ada), run, resume=newest, console=Console(file=said, width=999))
    assert (other.clips, other.training.augment.p) == (32, 0.25)
    assert "has another augment.type: the recipe's augmentation starts afresh" in said.getvalue()
    other.training.augment.p = 0.5
    saved = save_checkpoint(tmp_path / "other", other.training, step=8, clips=32)
    again = trainer(tiny(ada), tmp_path / "again", resume=saved, console=Console(file=said, width=999))
    assert again.training.augment.p == 0.5


def test_what_does_not_fit_is_named(run, tiny, tmp_path, monkeypatch):
    """PyTorch's first line is a heading."""
    newest = checkpoints(run / "checkpoints")[-1]
    monkeypatch.setattr("inrvid.training.run_dir.refuse_another_model", lambda *keys: None)
    with pytest.raises(InrvidError, match=r"cannot be resumed from: .*; .+\n  for another model"):
        trainer(tiny("generator.motion={type: conv1d}"), tmp_path / "other", resume=newest)


def test_size_is_foreseen(run, tiny, tmp_path):
    actual = sum(p.stat().st_size for p in checkpoints(run / "checkpoints")[-1].iterdir())
    foreseen = bytes_needed(trainer(tiny(), tmp_path / "other").training)
    assert 0.5 * foreseen < actual < foreseen + 200_000  # headers are large beside so small a model


def test_too_small_a_disk_is_refused_at_the_start(tiny, tmp_path, monkeypatch):
    monkeypatch.setattr(checks.shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(10, 9, 1))
    with pytest.raises(InrvidError, match=r"checkpoints need .* MiB are free: make room"):
        trainer(tiny(), tmp_path / "run")


def save_two(disk, training):
    for step in (100, 101):
        save_checkpoint(disk, training, step=step, clips=4 * step)


@pytest.mark.skipif(sys.platform != "linux", reason="needs a file system of its own")
def test_disk_full_during_a_save(run, tiny, tmp_path):
    """On a tmpfs with room for one checkpoint: the second save fails with a message, the first stays intact."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1200k", "tmpfs", disk], capture_output=True)
    if mounted.returncode:
        pytest.skip("may not mount a tmpfs")
    try:
        training = trainer(tiny(), tmp_path / "other").training
        first = save_checkpoint(disk, training, step=1, clips=4)
        size = sum(path.stat().st_size for path in first.iterdir())
        for step in range(2, 1_200 * 1024 // size):  # as many as fit
            save_checkpoint(disk, training, step=step, clips=4 * step)
        with pytest.raises(InrvidError, match=r"No space left.*the last one is intact"):
            save_two(disk, training)
        assert newest_intact(disk) is not None
        assert damage(first) is None
        assert not list(disk.glob(".*"))
    finally:
        subprocess.run(["umount", disk], check=True)


def test_metrics_of_a_lost_run_are_taken_out(run, tiny, tmp_path):
    lines = (run / "metrics.jsonl").read_text()
    with (run / "metrics.jsonl").open("a") as file:
        file.write('{"step": 99, "clips": 5000}\n{"step": 100, "cli')  # written before a kill
    trainer(tiny("train.kclips=0.040"), run, resume=checkpoints(run / "checkpoints")[-1]).run()
    after = (run / "metrics.jsonl").read_text()
    assert after.startswith(lines)
    assert [json.loads(line)["clips"] for line in after[len(lines) :].splitlines()] == [40]


def test_means_that_are_kept_are_finite_too(tiny, tmp_path):
    training = trainer(tiny(), tmp_path / "run").training
    assert is_finite(training)
    training.G.mapping.w_average[0] = math.nan
    assert not is_finite(training)
