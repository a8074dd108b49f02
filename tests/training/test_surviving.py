"""What happens around a training must not cost it: readers and terminals that go, launchers that are killed."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time

import psutil
import pytest

from inrvid import InrvidError
from inrvid.training.checkpoint import bytes_needed
from inrvid.training.keeping import checkpoints, clips_of
from inrvid.training.processes.launch import check_group, inside_launcher, join_slurm, meeting
from inrvid.training.run_dir import prepare

from .test_processes import command, environment, wait_for
from .test_trainer import trainer

linux = pytest.mark.skipif(sys.platform == "win32", reason="needs signals and pipes of POSIX")
FEW = ["--set", "train.checkpoint_kclips=0.024", "--set", "train.keep_last=99"]


def end(process, seconds=60):
    try:
        return process.wait(timeout=seconds)
    finally:
        process.kill()


def gone(pids, seconds=60):
    deadline = time.monotonic() + seconds
    while any(psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE for pid in pids):
        assert time.monotonic() < deadline, "processes are left"
        time.sleep(0.1)


@linux
@pytest.mark.parametrize("processes", [1, 2])
def test_a_hung_up_terminal_saves(tmp_path, processes):
    folder = tmp_path / "run"
    process = subprocess.Popen(
        command(folder, clips=120_000, processes=processes), env=environment(), stdout=subprocess.PIPE
    )
    wait_for(folder / "metrics.jsonl")
    process.send_signal(signal.SIGHUP)
    process.stdout.close()  # the terminal is gone, too
    assert end(process) == 128 + signal.SIGHUP
    assert clips_of(checkpoints(folder / "checkpoints")[-1]) > 0


@linux
def test_nohup_stays_so(tmp_path):
    folder = tmp_path / "run"
    process = subprocess.Popen(["nohup", *command(folder, *FEW)], env=environment(), stdout=subprocess.DEVNULL)
    wait_for(folder / "metrics.jsonl")
    process.send_signal(signal.SIGHUP)
    assert end(process) == 0
    assert clips_of(checkpoints(folder / "checkpoints")[-1]) == 120


@linux
def test_a_killed_launcher_leaves_no_process_training(tmp_path):
    folder = tmp_path / "run"
    process = subprocess.Popen(
        command(folder, clips=120_000, processes=2), env=environment(), stdout=subprocess.DEVNULL
    )
    wait_for(folder / "metrics.jsonl")
    children = [child.pid for child in psutil.Process(process.pid).children()]
    process.kill()
    process.wait()
    assert len(children) == 2
    gone(children)
    assert clips_of(checkpoints(folder / "checkpoints")[-1]) > 0  # they stopped as on SIGTERM


@linux
@pytest.mark.parametrize("out", ["closed pipe", "/dev/full"])
def test_training_goes_on_without_a_reader(tmp_path, out):
    if out == "/dev/full" and not os.path.exists(out):  # noqa: PTH110
        pytest.skip("no /dev/full")
    folder = tmp_path / "run"
    read, write = os.pipe()
    target = write if out == "closed pipe" else os.open(out, os.O_WRONLY)
    process = subprocess.Popen(command(folder, *FEW), env=environment(), stdout=target, stderr=subprocess.PIPE)
    os.close(read)
    os.close(write)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    assert b"standard output is lost" in errors
    assert clips_of(checkpoints(folder / "checkpoints")[-1]) == 120


def test_a_second_training_in_the_same_folder_is_refused(tmp_path):
    folder = tmp_path / "run"
    first = subprocess.Popen(command(folder, clips=120_000), env=environment(), stdout=subprocess.DEVNULL)
    try:
        wait_for(folder / "metrics.jsonl")
        second = subprocess.run(command(folder), env=environment(), capture_output=True, text=True, timeout=120)
    finally:
        first.kill()
    assert second.returncode == 2
    assert f"another training (process {first.pid} on" in second.stderr
    assert len(second.stderr.splitlines()) == 1
    first.wait()
    again = subprocess.run(command(folder), env=environment(), capture_output=True, text=True, timeout=120)
    assert again.returncode == 0, again.stderr


def test_going_back_keeps_the_new_work_and_the_old(tiny, tmp_path):
    """After going back what had just been trained was deleted, once."""
    run = tmp_path / "run"
    settings = ("train.checkpoint_kclips=0.008", "train.keep_last=1", "train.keep_kclips=0.008")
    trainer(tiny("train.kclips=0.032", *settings), run).run()
    first = checkpoints(run / "checkpoints")[0]
    back = trainer(tiny("train.kclips=0.012", *settings[:2]), run, resume=first)
    back.run()
    assert [clips_of(path) for path in checkpoints(run / "checkpoints")] == [12]
    assert [clips_of(path) for path in checkpoints(run / "checkpoints" / "set-aside-001")] == [16, 24, 32]


def test_other_data_is_told(tiny, tmp_path):
    trainer(tiny("train.kclips=0.008"), tmp_path / "run").run()
    resumed = trainer(tiny("data.videos=25"), tmp_path / "run", resume=checkpoints(tmp_path / "run" / "checkpoints")[0])
    assert "was trained on other data" in resumed.console.file.getvalue()


def test_a_run_is_not_poured_among_videos(tiny, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "holiday.mp4").touch()
    with pytest.raises(InrvidError, match="mine: has videos in it: give the run a folder of its own"):
        prepare(tmp_path / "mine", tiny(), "auto", print)
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["holiday.mp4"]
    with pytest.raises(InrvidError, match=r"holiday\.mp4: there is a file of that name: give a folder"):
        prepare(tmp_path / "mine" / "holiday.mp4", tiny(), "auto", print)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (["eval.data={videos: 1}"], "there is 1 held-out video, scores need at least 2"),
        (["eval.data={frames: 4}"], "hold no clip of 8"),
        (["generator.clip_length=2", "time_sampler.clip_length=2"], "statistics needs at least 3 frames, got 2"),
    ],
)
def test_what_cannot_be_scored_is_found_before_the_training(tiny, tmp_path, settings, told):
    with pytest.raises(InrvidError, match=f"eval: .*{told}"):
        trainer(tiny("eval={metrics: [{type: statistics}], clips: 4}", *settings), tmp_path / "run")


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        ({"LOCAL_RANK": "0"}, r"LOCAL_RANK=0 is set as by a launcher, but RANK and WORLD_SIZE and MASTER_ADDR"),
        ({"RANK": "1", "WORLD_SIZE": "2"}, "but LOCAL_RANK and MASTER_ADDR and MASTER_PORT is not"),
        ({"RANK": "a", "WORLD_SIZE": "2"}, "RANK=a in the environment: a whole number is expected"),
        ({"RANK": "5", "WORLD_SIZE": "2", "LOCAL_RANK": "1", "MASTER_ADDR": "h", "MASTER_PORT": "1"}, "RANK=5 is not"),
        ({"SLURM_STEP_NUM_TASKS": "4"}, "SLURM_PROCID and SLURM_LOCALID is no number"),
        ({"SLURM_STEP_NUM_TASKS": "four"}, "SLURM_STEP_NUM_TASKS is no number"),
    ],
)
def test_what_a_launcher_left_in_the_environment_is_named(monkeypatch, variables, told):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(InrvidError, match=f"{told}.*(\n.*)?unset "):
        joined()


def joined():
    join_slurm()
    check_group()


def test_a_group_of_one_is_none(monkeypatch):
    """`--processes 2` was ignored under it, once."""
    for name, value in {"RANK": "0", "WORLD_SIZE": "1", "LOCAL_RANK": "0"}.items():
        monkeypatch.setenv(name, value)
    check_group()
    assert not inside_launcher()


def test_what_mpirun_left_is_named(monkeypatch):
    monkeypatch.setenv("OMPI_COMM_WORLD_SIZE", "2")
    with pytest.raises(InrvidError, match=r"could not meet \(OMPI_COMM_WORLD_SIZE=2\).*\n.*unset OMPI_COMM_WORLD_SIZE"):
        failing()


def failing():
    with meeting():
        raise ValueError("no address")


def test_closed_streams_cost_nothing(tmp_path):
    line = " ".join(map(shlex.quote, command(tmp_path / "run", *FEW)))
    done = subprocess.run(["sh", "-c", f"{line} <&- >&- 2>&-"], env=environment(), timeout=120)
    assert done.returncode == 0


def test_a_resumed_run_needs_no_room_for_what_it_has(tiny, tmp_path, monkeypatch):
    settings = ("train.checkpoint_kclips=0.008", "train.keep_last=2")
    trainer(tiny("train.kclips=0.016", *settings), tmp_path / "run").run()
    newest = checkpoints(tmp_path / "run" / "checkpoints")[-1]
    needed = bytes_needed(trainer(tiny(), tmp_path / "other").training)
    room = shutil._ntuple_diskusage(10 * needed, 8 * needed, needed * 3 // 2)
    monkeypatch.setattr("inrvid.training.checks.shutil.disk_usage", lambda path: room)
    trainer(tiny(*settings), tmp_path / "run", resume=newest)
    with pytest.raises(InrvidError, match=r"checkpoints need \d+ MiB, \d+ MiB are free"):
        trainer(tiny(*settings), tmp_path / "fresh")


def test_waiting_for_a_master_is_told(tmp_path):
    alone = {"RANK": "1", "WORLD_SIZE": "2", "LOCAL_RANK": "0", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "9"}
    process = subprocess.Popen(
        command(tmp_path / "run"), env={**environment(), **alone}, stderr=subprocess.PIPE, text=True
    )
    try:
        for line in process.stderr:
            if line.startswith("waiting for the other processes"):
                break
        assert "RANK=1 WORLD_SIZE=2" in line
        assert "unset RANK WORLD_SIZE" in line
    finally:
        process.kill()


def test_scores_are_of_what_is_saved(tiny, tmp_path):
    """Under on_divergence=warn a run ended well, with scores of a model that was not on disk."""
    folder = tmp_path / "run"
    measured = "eval={metrics: [{type: statistics}], clips: 4}"
    run = trainer(tiny("train.kclips=0.016", "train.checkpoint_kclips=0.008", measured), folder)
    run._loop_before, run._loop = run._loop, lambda: spoil(run)
    with pytest.raises(InrvidError, match=r"weights are not finite, the last checkpoint with finite ones is .*0016"):
        run.run()
    assert not (folder / "scores.json").exists()
    assert json.loads((folder / "model" / "config.json").read_text())["clips"] == 16


def spoil(run):
    run._loop_before()
    next(run.training.G.parameters()).data.fill_(float("nan"))


def test_clips_that_are_not_finite_have_no_scores(tiny, tmp_path):
    measured = "eval={metrics: [{type: statistics}], clips: 4}"
    settings = ("optim.generator.lr=1e30", "optim.generator.lazy_interval=0", "train.ema_kclips=0")
    run = trainer(tiny("train.kclips=0.016", measured, *settings), tmp_path / "run")
    with pytest.raises(InrvidError, match="finite"):
        run.run()
