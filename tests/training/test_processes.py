"""Several processes, over gloo: the same training as one."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
import torch
from safetensors.torch import load_file

from .conftest import TINY

BATCH = ["train.batch_size=12", "discriminator.mbstd_group=2", "train.log_kclips=0.012", "train.sample_kclips=9"]
# Adam makes steps of the rate's size out of gradients that are nothing but rounding: at 0.01 one process ends 1e-5 to
# 5e-5 from itself with other roundings; what is wrong shows at any rate.
BATCH += ["optim.generator.lr=0.001", "optim.discriminator.lr=0.001"]


def command(folder, *arguments, clips=120, processes=1):
    settings = [x for item in (*TINY, *BATCH, f"train.kclips={clips / 1000}") for x in ("--set", item)]
    base = [sys.executable, "-m", "inrvid", "train", "quickstart", "--cpu", "--run-dir", str(folder)]
    return [*base, "--processes", str(processes), *settings, *arguments]


def environment():
    return {**os.environ, "OMP_NUM_THREADS": "1"}


def run(folder, *arguments, **keys):
    result = subprocess.run(command(folder, *arguments, **keys), env=environment(), capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def weights(folder):
    newest = sorted((folder / "checkpoints").glob("clips-*"))[-1]
    return {
        f"{name}/{key}": value
        for name in ("generator", "discriminator", "ema")
        for key, value in load_file(newest / f"{name}.safetensors").items()
    }


def distance(a, b):
    """Relative L2 over all weights."""
    flat = [torch.cat([x[name].double().flatten() for name in sorted(a)]) for x in (a, b)]
    return float((flat[0] - flat[1]).norm() / flat[1].norm())


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    folder = tmp_path_factory.mktemp("alone")
    run(folder)
    return weights(folder)


@pytest.mark.parametrize(
    ("processes", "settings"),
    [(2, []), (1, ["--set", "train.micro_batch=4"]), (2, ["--set", "train.micro_batch=2"])],
    ids=["2", "1x3", "2x3"],
)
def test_ten_steps_are_those_of_one_process(alone, processes, settings, tmp_path):
    """Parameters, moving average and the mean style after 10 steps, penalty and w̄ included."""
    out = run(tmp_path / "run", *settings, processes=processes)
    assert out.count("generator 0.0") == 1  # one process speaks
    assert distance(weights(tmp_path / "run"), alone) < 1e-6
    lines = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    assert [line["clips"] for line in lines] == list(range(12, 132, 12))


def test_adaptive_augmentation_is_that_of_one_process(tmp_path):
    """p follows the logits of all processes."""
    settings = ["--set", "augment.type=ada", "--set", "augment.speed_kclips=0.4", "--set", "augment.interval=2"]
    settings += ["--set", "augment.target=-1"]  # p rises, whatever the discriminator thinks
    found = []
    for processes in (1, 2):
        run(tmp_path / str(processes), *settings, processes=processes, clips=60)
        lines = (tmp_path / str(processes) / "metrics.jsonl").read_text().splitlines()
        found.append([json.loads(line)["augment/p"] for line in lines])
    assert found[0] == found[1]
    assert max(found[0]) > 0.05
    assert distance(weights(tmp_path / "2"), weights(tmp_path / "1")) < 1e-6


def test_a_checkpoint_of_two_processes_resumes_on_one_and_three(alone, tmp_path):
    for processes in (1, 3):
        folder = tmp_path / str(processes)
        run(folder, clips=60, processes=2)
        assert "continuing at 60 clips" in run(folder, clips=120, processes=processes)
        assert distance(weights(folder), alone) < 1e-6


def test_a_signal_stops_all_processes_after_the_same_step(alone, tmp_path):
    folder = tmp_path / "run"
    process = subprocess.Popen(command(folder, clips=120_000, processes=2), env=environment(), stdout=subprocess.PIPE)
    wait_for(folder / "metrics.jsonl")
    process.send_signal(signal.SIGTERM)
    try:
        out, _ = process.communicate(timeout=60)
    finally:
        process.send_signal(signal.SIGTERM)  # the second acts at once
    assert process.returncode == 128 + signal.SIGTERM
    assert b"stopped and saved; continue with" in out
    clips = int(sorted((folder / "checkpoints").glob("clips-*"))[-1].name[6:])
    assert clips % 12 == 0
    assert clips > 0


def test_one_process_that_dies_ends_the_run(tmp_path):
    folder = tmp_path / "run"
    process = subprocess.Popen(
        command(folder, clips=120_000, processes=2), env=environment(), stderr=subprocess.DEVNULL
    )
    wait_for(folder / "metrics.jsonl")
    psutil.Process(process.pid).children()[1].kill()
    assert process.wait(timeout=60) != 0


ENDING = """
import atexit, sys
from tests.training.test_processes import names_of_threads
import inrvid.cli

atexit.register(lambda: print("threads at the end:", names_of_threads("self"), file=sys.stderr))
inrvid.cli.main()
"""


def names_of_threads(pid):
    names = set()
    for path in Path(f"/proc/{pid}/task").glob("*/comm"):
        with contextlib.suppress(OSError):  # ended meanwhile
            names.add(path.read_text().strip())
    return sorted(names)


@pytest.mark.skipif(sys.platform != "linux", reason="lists threads by /proc")
@pytest.mark.parametrize(
    ("end", "code", "settings"),
    [
        ("complete", 0, []),
        ("diverged", 2, ["--set", "optim.generator.lr=1e30", "--set", "train.on_divergence=stop"]),
        ("stopped", 128 + signal.SIGINT, []),
    ],
)
def test_no_thread_of_a_group_outlives_the_run(end, code, settings, tmp_path):
    """One of gloo's that lets go of a tensor while the interpreter ends aborts the process, now and then."""
    folder = tmp_path / "run"
    arguments = command(folder, *settings, clips=120_000 if end == "stopped" else 60)[3:]
    group = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port())}
    with contextlib.ExitStack() as started:
        processes = []
        for rank in ("0", "1"):
            own = {**environment(), **group, "RANK": rank, "LOCAL_RANK": rank}
            processes.append(
                subprocess.Popen([sys.executable, "-c", ENDING, *arguments], env=own, stderr=subprocess.PIPE, text=True)
            )
            started.callback(processes[-1].kill)
        if end == "stopped":
            wait_for(folder / "metrics.jsonl")
            if not any("gloo" in name for name in names_of_threads(processes[1].pid)):
                pytest.skip("this PyTorch does not name its threads")
            processes[1].send_signal(signal.SIGINT)
        for process in processes:
            errors = process.communicate(timeout=120)[1]
            assert process.returncode == code, errors
            threads = errors.partition("threads at the end:")[2]
            assert threads
            assert "gloo" not in threads


def wait_for(path, seconds=180):
    deadline = time.monotonic() + seconds
    while not (path.exists() and path.stat().st_size > 400):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def together(commands, environments):
    """Run several commands at once; all must end well."""
    started = [
        subprocess.Popen(c, env=e, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for c, e in zip(commands, environments, strict=True)
    ]
    for process in started:
        out, _ = process.communicate(timeout=120)
        assert process.returncode == 0, out


def test_two_nodes(alone, tmp_path):
    """Two torchrun agents, as on two machines, on the loopback."""
    port = free_port()
    arguments = command(tmp_path / "run")[1:]  # -m inrvid …
    arguments = [x for i, x in enumerate(arguments) if "--processes" not in (x, arguments[i - 1])]
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--nnodes=2", "--nproc_per_node=1"]
    address = ["--master_addr=127.0.0.1", f"--master_port={port}"]
    agents = [[*torchrun, f"--node_rank={rank}", *address, *arguments] for rank in range(2)]
    together(agents, [environment()] * 2)
    assert distance(weights(tmp_path / "run"), alone) < 1e-6


def test_slurm(alone, tmp_path):
    """What srun sets for two tasks on two nodes."""
    common = {**environment(), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port()), "SLURM_STEP_NUM_TASKS": "2"}
    tasks = [{**common, "SLURM_PROCID": str(rank), "SLURM_LOCALID": "0"} for rank in range(2)]
    together([command(tmp_path / "run")] * 2, tasks)
    assert distance(weights(tmp_path / "run"), alone) < 1e-6


def test_slurm_without_an_address(tmp_path):
    task = {**environment(), "SLURM_STEP_NUM_TASKS": "2", "SLURM_PROCID": "0", "SLURM_LOCALID": "0"}
    result = subprocess.run(command(tmp_path / "run"), env=task, capture_output=True, text=True)
    assert result.returncode == 2
    assert "MASTER_ADDR and MASTER_PORT is not set" in result.stderr


def test_what_ends_one_process_is_told_in_a_line_by_each(tmp_path):
    """A checkpoint that cannot be written ended in gloo's traceback of all the others, once."""

    def small_files():
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))

    asked = command(tmp_path / "run", clips=24, processes=2)
    result = subprocess.run(asked, env=environment(), capture_output=True, text=True, preexec_fn=small_files)
    assert result.returncode == 2
    *_, first, second = result.stderr.splitlines()
    assert {first, second} == {
        f"{tmp_path}/run/checkpoints/clips-000000000024: the checkpoint could not be written: Error while serializing: "
        "I/O error: File too large (os error 27); there is none yet",
        "another process of the training has ended: its own message says why",
    }
    assert "Traceback" not in result.stderr
