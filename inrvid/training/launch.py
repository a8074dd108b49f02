"""Starting one process a device on this machine."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from typing import Any

from ..errors import InrvidError


def inside_launcher() -> bool:
    """Whether a launcher (torchrun, accelerate launch, SLURM's srun, ours) started this process."""
    return "RANK" in os.environ and "WORLD_SIZE" in os.environ


def join_slurm() -> None:
    """Take this process's place in the group from srun's variables, as torchrun would set it.

    MASTER_ADDR and MASTER_PORT are the job script's to set. Does nothing outside `srun`, or inside torchrun.
    """
    tasks = os.environ.get("SLURM_STEP_NUM_TASKS", "1")  # set by srun alone, not in a job script itself
    if inside_launcher() or int(tasks) < 2:
        return
    for name, source in (("RANK", "SLURM_PROCID"), ("LOCAL_RANK", "SLURM_LOCALID")):
        os.environ[name] = os.environ[source]
    os.environ["WORLD_SIZE"] = tasks
    missing = [name for name in ("MASTER_ADDR", "MASTER_PORT") if name not in os.environ]
    if missing:
        raise InrvidError(
            f"srun started {tasks} tasks, but {' and '.join(missing)} is not set: in the job script, export "
            'MASTER_ADDR=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1) MASTER_PORT=29500'
        )


def launch(processes: int, arguments: list[str]) -> int:
    """Run `python -m inrvid *arguments` as `processes` processes of one group; returns the exit code.

    Signals are passed on. If one process fails, the others are ended; its code is returned.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    common = {**os.environ, "WORLD_SIZE": str(processes), "LOCAL_WORLD_SIZE": str(processes)}
    common |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    common.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // processes)))
    command = [sys.executable, "-m", "inrvid", *arguments]
    children = [
        subprocess.Popen(command, env={**common, "RANK": str(rank), "LOCAL_RANK": str(rank)}, start_new_session=True)
        for rank in range(processes)
    ]

    def forward(number: int, frame: Any) -> None:
        for child in children:
            if child.poll() is None:
                child.send_signal(number)

    before = {number: signal.signal(number, forward) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        return _wait(children)
    finally:
        for child in children:
            if child.poll() is None:
                child.kill()
        for number, handler in before.items():
            signal.signal(number, handler)


GRACE = 10.0
"""Seconds that the others have to end by themselves once one process has ended with an error."""


def _wait(children: list[subprocess.Popen[bytes]]) -> int:
    deadline: float | None = None
    first = 0
    while any(child.poll() is None for child in children):
        failed = [child.returncode for child in children if child.returncode]
        if failed and deadline is None:
            first, deadline = failed[0], time.monotonic() + GRACE
        if deadline is not None and time.monotonic() > deadline:
            break
        time.sleep(0.05)
    code = first or next((child.returncode for child in children if child.returncode), 0)
    return 128 - code if code < 0 else code
