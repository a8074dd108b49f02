"""Starting one process per device on this machine."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

from ...errors import InrvidError
from ...files import WINDOWS
from .signals import stop_signals

PLACES = ("RANK", "WORLD_SIZE", "LOCAL_RANK")
GROUP = (*PLACES, "MASTER_ADDR", "MASTER_PORT")
"""What a launcher sets in the environment of each process of a group."""

MPI = ("PMI_SIZE", "OMPI_COMM_WORLD_SIZE", "MV2_COMM_WORLD_SIZE")
"""What mpirun sets, which Accelerate takes for a group."""

SILENCE = 10.0
"""Seconds to wait for the others before saying so."""


def inside_launcher() -> bool:
    """Whether a launcher (torchrun, accelerate launch, SLURM's srun, ours) started this process."""
    return "RANK" in os.environ and "WORLD_SIZE" in os.environ


def join_slurm() -> None:
    """Set this process's place in the group from srun's variables, as torchrun would.

    The job script must set MASTER_ADDR and MASTER_PORT. Does nothing outside `srun`, or inside torchrun.
    """
    tasks = os.environ.get("SLURM_STEP_NUM_TASKS", "1")  # set by srun alone, not in a job script itself
    if inside_launcher() or tasks == "1":
        return
    places = {"RANK": "SLURM_PROCID", "LOCAL_RANK": "SLURM_LOCALID", "WORLD_SIZE": "SLURM_STEP_NUM_TASKS"}
    odd = [source for source in places.values() if not os.environ.get(source, "").isdecimal()]
    if odd:
        raise InrvidError(
            f"SLURM_STEP_NUM_TASKS={tasks} is set as srun sets it, but {' and '.join(odd)} is no number: start with "
            "srun, or: unset SLURM_STEP_NUM_TASKS"
        )
    os.environ.update({name: os.environ[source] for name, source in places.items()})
    missing = [name for name in ("MASTER_ADDR", "MASTER_PORT") if name not in os.environ]
    if missing:
        raise InrvidError(
            f"srun started {tasks} tasks, but {' and '.join(missing)} is not set: in the job script, export "
            'MASTER_ADDR=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1) MASTER_PORT=29500\n'
            "  (if srun did not start this: unset SLURM_STEP_NUM_TASKS)"
        )


def check_group() -> None:
    """Raise InrvidError if a launcher's variables in the environment are incomplete (left over, or forgotten) or wrong;
    unset those of a group of one."""
    places = {name: os.environ[name] for name in PLACES if os.environ.get(name, "-1") != "-1"}
    if not places or places.get("WORLD_SIZE") == "1":
        if "TORCHELASTIC_RUN_ID" not in os.environ:  # a group of one is no group, unless torchrun was asked for it
            for name in PLACES:
                os.environ.pop(name, None)
        return
    remedy = f"start with torchrun or accelerate launch; or, to train by itself: unset {' '.join(GROUP)}"
    if odd := [f"{name}={value}" for name, value in places.items() if not value.isdecimal()]:
        raise InrvidError(f"{' '.join(odd)} in the environment: a whole number is expected there\n  {remedy}")
    if missing := [name for name in GROUP if not os.environ.get(name)]:
        said = " ".join(f"{name}={value}" for name, value in places.items())
        raise InrvidError(f"{said} is set as by a launcher, but {' and '.join(missing)} is not\n  {remedy}")
    if int(places["RANK"]) >= int(places["WORLD_SIZE"]):
        raise InrvidError(f"RANK={places['RANK']} is not one of WORLD_SIZE={places['WORLD_SIZE']}\n  {remedy}")


@contextlib.contextmanager
def meeting() -> Iterator[None]:
    """Wraps the call that waits for all processes of the group, so that it neither waits silently nor fails verbosely.

    Raises:
        InrvidError: they could not meet.
    """
    names = [name for name in (*GROUP, *MPI) if name in os.environ]
    place = " ".join(f"{name}={os.environ[name]}" for name in names)
    remedy = f"if no launcher started this process: unset {' '.join(names)}"
    told = threading.Timer(
        SILENCE, lambda: print(f"waiting for the other processes ({place}); {remedy}", file=sys.stderr, flush=True)
    )
    told.daemon = True
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        told.start()
    try:
        yield
    except (RuntimeError, ValueError) as error:
        if names:
            reason = str(error).splitlines()[0]
            raise InrvidError(f"the processes could not meet ({place}): {reason}\n  {remedy}") from error
        raise
    finally:
        told.cancel()


def launch(processes: int, arguments: list[str]) -> int:
    """Run `python -m inrvid *arguments` as `processes` processes of one group; returns the exit code.

    Signals are passed on. If one process fails, the others are ended; its code is returned. If this process is killed,
    they stop as on SIGTERM (`follow_launcher`).
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    common = {**os.environ, "WORLD_SIZE": str(processes), "LOCAL_WORLD_SIZE": str(processes)}
    common |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    common.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // processes)))
    command = [sys.executable, "-m", "inrvid", *arguments]
    watched, held = os.pipe()  # `held` closes with this process, however that ends
    inherited: dict[str, Any] = {} if WINDOWS else {"pass_fds": [watched], "start_new_session": True}
    common |= {"USE_LIBUV": "0"} if WINDOWS else {LAUNCHER: str(watched)}  # PyTorch's builds lack libuv there
    children = [
        subprocess.Popen(command, env={**common, "RANK": str(rank), "LOCAL_RANK": str(rank)}, **inherited)
        for rank in range(processes)
    ]
    os.close(watched)

    def forward(number: int, frame: Any) -> None:
        for child in children:
            if child.poll() is None and not WINDOWS:  # on Windows the console tells them by itself
                child.send_signal(number)

    before = {number: signal.signal(number, forward) for number in stop_signals()}
    try:
        return _wait(children)
    finally:
        for child in children:
            if child.poll() is None:
                child.kill()
        os.close(held)
        for number, handler in before.items():
            signal.signal(number, handler)


LAUNCHER = "INRVID_LAUNCHER"
"""Variable by which processes get a file descriptor that reaches its end when their launcher ends."""

LAST_SAVE = 120.0
"""Seconds that a process has to save and end once its launcher is gone."""


def follow_launcher() -> None:
    """Stop, as on SIGTERM, when the process that started this one is gone: nobody is left who could stop it."""
    number = os.environ.pop(LAUNCHER, "")
    if not number.isdecimal():
        return

    def watch() -> None:
        try:
            os.read(int(number), 1)  # nobody writes: returns only when the launcher ends
        except OSError:  # no such descriptor: the variable is left over from another process
            return
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(LAST_SAVE)
        os._exit(128 + signal.SIGTERM)

    threading.Thread(target=watch, daemon=True, name="launcher").start()


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
