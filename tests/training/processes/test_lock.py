"""One training at a time writes into a folder, with the system's locks and without."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import time

import pytest

from inrvid import InrvidError
from inrvid.training.processes import lock as lock_module
from inrvid.training.processes.lock import OWNER, Owner, RunLock

HOLDING = """
import pathlib, sys, time
from inrvid.training.processes import lock
if sys.argv[2] == "without":
    def none(handle):
        raise OSError(37, "No locks available")
    lock._lock = none
lock.RunLock(pathlib.Path(sys.argv[1])).acquire()
print("held", flush=True)
time.sleep(60)
"""


@pytest.fixture(params=["with", "without"])
def holder(request, tmp_path, monkeypatch):
    """A process that holds the lock of `tmp_path`, on a file system with and without locks."""
    if request.param == "without":

        def none(handle):
            raise OSError(37, "No locks available")

        monkeypatch.setattr(lock_module, "_lock", none)
    command = [sys.executable, "-c", HOLDING, str(tmp_path), request.param]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"held\n"
        yield process
        process.kill()


def test_a_second_training_is_refused_and_a_killed_one_holds_nothing(holder, tmp_path):
    with pytest.raises(InrvidError, match=rf"another training \(process {holder.pid} on .*\) is writing there: wait"):
        RunLock(tmp_path).acquire()
    holder.kill()
    holder.wait()
    lock = RunLock(tmp_path)
    lock.acquire()
    lock.release()


@pytest.fixture
def lockless(monkeypatch):
    def none(handle):
        raise OSError(37, "No locks available")

    monkeypatch.setattr(lock_module, "_lock", none)


def test_a_lock_of_another_machine_holds_while_it_is_touched(tmp_path, lockless):
    owner = tmp_path / OWNER
    owner.write_text(json.dumps({"host": "elsewhere", "pid": 1, "started": 0.0}))
    with pytest.raises(InrvidError, match=r"process 1 on elsewhere\) is writing there"):
        RunLock(tmp_path).acquire()
    old = time.time() - 2 * lock_module.SILENT
    os.utime(owner, (old, old))
    RunLock(tmp_path).acquire()
    assert json.loads(owner.read_text())["pid"] == os.getpid()


def test_an_owner_touches_its_file(tmp_path, lockless, monkeypatch):
    monkeypatch.setattr(lock_module, "HEARTBEAT", 0.05)
    lock = RunLock(tmp_path)
    lock.acquire()
    os.utime(tmp_path / OWNER, (0, 0))
    deadline = time.monotonic() + 10
    while (tmp_path / OWNER).stat().st_mtime == 0:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    lock.release()
    assert not (tmp_path / OWNER).exists()


RACING = """
import pathlib, sys, time
from inrvid import InrvidError
from inrvid.training.processes import lock
def none(handle):
    raise OSError(37, "No locks available")
lock._lock = none
print("ready", flush=True)
for line in sys.stdin:
    try:
        lock.RunLock(pathlib.Path(line.strip())).acquire()
        print("admitted", flush=True)
    except InrvidError:
        print("refused", flush=True)
"""


@pytest.mark.parametrize("left", [False, True], ids=["fresh", "stale"])
def test_one_of_many_is_admitted(tmp_path, left):
    """Without locks: two thirds of the races once admitted several."""
    with contextlib.ExitStack() as stack:
        racers = []
        for _ in range(4):
            process = subprocess.Popen(
                [sys.executable, "-c", RACING], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
            stack.callback(process.kill)
            racers.append(process)
        assert [process.stdout.readline() for process in racers] == ["ready\n"] * 4
        for number in range(40):
            folder = tmp_path / str(number)
            folder.mkdir()
            if left:
                dead = {"host": socket.gethostname(), "pid": 2**22 - 1, "started": 1.0}
                (folder / OWNER).write_text(json.dumps(dead))
            for process in racers:
                process.stdin.write(f"{folder}\n")
                process.stdin.flush()
            assert sorted(process.stdout.readline() for process in racers) == ["admitted\n", *["refused\n"] * 3]


@pytest.mark.parametrize("make", [lambda p: p.symlink_to("precious"), os.mkfifo, lambda p: p.symlink_to("/dev/zero")])
def test_what_stands_in_the_lock_s_place_is_left_alone(tmp_path, make):
    (tmp_path / "precious").write_text("x" * 5)
    make(tmp_path / ".lock")
    with pytest.raises(OSError, match=r"links|not a file") as caught:
        RunLock(tmp_path).acquire()
    assert caught.value.filename == str(tmp_path / ".lock")
    assert (tmp_path / "precious").read_text() == "x" * 5


def test_a_process_of_the_same_number_is_not_the_owner():
    me = Owner.me()
    assert me.runs()
    assert me.is_here
    assert not me.model_copy(update={"started": me.started - 100}).runs()
    assert me.pid == os.getpid()
    assert me.host == socket.gethostname()


@pytest.mark.parametrize("content", [b"", b"\xff", b'{"host": 3}', b"[" * 10000])
def test_a_damaged_owner_s_file_holds_nothing(tmp_path, lockless, content):
    (tmp_path / OWNER).write_bytes(content)
    os.utime(tmp_path / OWNER, (0, 0))
    RunLock(tmp_path).acquire()
