"""One training at a time writes into a folder, with the system's locks and without."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys

import pytest

from inrvid import InrvidError
from inrvid.training import lock as lock_module
from inrvid.training.lock import OWNER, Owner, RunLock

HOLDING = """
import pathlib, sys, time
from inrvid.training import lock
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
    with pytest.raises(InrvidError, match=rf"another training \(process {holder.pid} on .*\) writes there: wait"):
        RunLock(tmp_path).acquire()
    holder.kill()
    holder.wait()
    lock = RunLock(tmp_path)
    lock.acquire()
    lock.release()


def test_a_lock_of_another_machine_is_left_to_the_user(tmp_path, monkeypatch):
    def none(handle):
        raise OSError(37, "No locks available")

    monkeypatch.setattr(lock_module, "_lock", none)
    (tmp_path / OWNER).write_text(json.dumps({"host": "elsewhere", "pid": 1, "started": 0.0}))
    with pytest.raises(InrvidError, match=r"process 1 on elsewhere.*if that process is no more, delete .*\.lock-owner"):
        RunLock(tmp_path).acquire()


def test_a_process_of_the_same_number_is_not_the_owner():
    me = Owner.me()
    assert me.is_alive()
    assert not me.model_copy(update={"started": me.started - 100}).is_alive()
    assert me.pid == os.getpid()
    assert me.host == socket.gethostname()


@pytest.mark.parametrize("content", [b"", b"\xff", b'{"host": 3}', b"[" * 10000])
def test_a_damaged_owner_s_file_holds_nothing(tmp_path, monkeypatch, content):
    def none(handle):
        raise OSError(37, "No locks available")

    monkeypatch.setattr(lock_module, "_lock", none)
    (tmp_path / OWNER).write_bytes(content)
    RunLock(tmp_path).acquire()
