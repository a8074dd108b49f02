"""Checkpoints are whole, checked, and as many as asked for."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys

import pytest

from inrvid import InrvidError
from inrvid.training import trainer as trainer_module
from inrvid.training.checkpoint import bytes_needed, checkpoints, damage, newest_intact, prune, save_checkpoint

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


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (lambda p: (p / "generator.safetensors").unlink(), "generator.safetensors is missing"),
        (lambda p: (p / "manifest.json").write_text("{"), "manifest.json cannot be read"),
        (lambda p: (p / "manifest.json").unlink(), "manifest.json cannot be read"),
        (lambda p: flip(p / "optimizer_generator.safetensors", 20), "optimizer_generator.safetensors was altered"),
        (lambda p: (p / "discriminator.safetensors").write_bytes(b"short"), "discriminator.safetensors was altered"),
    ],
)
def test_every_damage_is_seen(run, harm, message):
    newest = checkpoints(run / "checkpoints")[-1]
    harm(newest)
    assert message in damage(newest)


def test_resuming_from_a_damaged_path_is_refused(run, tiny, tmp_path):
    newest = checkpoints(run / "checkpoints")[-1]
    flip(newest / "ema.safetensors")
    with pytest.raises(InrvidError, match="was altered on disk"):
        trainer(tiny(), tmp_path / "other", resume=newest)


def test_what_is_kept(tmp_path):
    for clips in range(100, 1100, 100):
        (tmp_path / f"clips-{clips:012d}").mkdir()
    prune(tmp_path, keep_last=2, keep_every=400)
    assert [int(p.name[6:]) for p in checkpoints(tmp_path)] == [400, 800, 900, 1000]
    prune(tmp_path, keep_last=1, keep_every=None)
    assert [int(p.name[6:]) for p in checkpoints(tmp_path)] == [1000]


def test_the_best_is_kept(tmp_path):
    for clips, score in ((100, 5.0), (200, 1.0), (300, 3.0), (400, 2.0)):
        path = tmp_path / f"clips-{clips:012d}"
        path.mkdir()
        (path / "manifest.json").write_text(json.dumps({"scores": {"a/b": score}}))
    (tmp_path / "clips-000000000500").mkdir()  # damaged: it has no score
    prune(tmp_path, keep_last=1, keep_best="a/b")
    assert [int(p.name[6:]) for p in checkpoints(tmp_path)] == [200, 500]


def test_scores_are_saved_with_checkpoints(tiny, tmp_path):
    measured = "eval={metrics: [{type: statistics}], clips: 16, data: {split: test}}"
    settings = ("train.kclips=0.016", "train.checkpoint_kclips=0.008", "train.keep_best=statistics/temporal")
    trainer(tiny(measured, *settings), tmp_path / "run").run()
    for path in checkpoints(tmp_path / "run" / "checkpoints"):
        assert set(json.loads((path / "manifest.json").read_text())["scores"]) == {
            "statistics/spatial",
            "statistics/temporal",
        }
    with pytest.raises(InrvidError, match=r"keep_best: 'statistics/temporal' is not measured"):
        trainer(tiny(*settings), tmp_path / "other")


def test_size_is_foreseen(run, tiny, tmp_path):
    actual = sum(p.stat().st_size for p in checkpoints(run / "checkpoints")[-1].iterdir())
    foreseen = bytes_needed(trainer(tiny(), tmp_path / "other").training)
    assert 0.5 * foreseen < actual < foreseen + 200_000  # headers are large beside so small a model


def test_too_small_a_disk_is_refused_at_the_start(tiny, tmp_path, monkeypatch):
    monkeypatch.setattr(trainer_module.shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(10, 9, 1))
    with pytest.raises(InrvidError, match=r"checkpoints need .* GiB are free: make room"):
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
