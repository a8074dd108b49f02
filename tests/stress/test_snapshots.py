"""A small share of `snapshots`, the same each time; and that it would see what it is for."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="counts bytes as Linux does")


def process(*arguments):
    """Of its own: hooks cannot be taken out of one again."""
    return subprocess.run([sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=300)


def test_spoilt_snapshots_cost_a_refusal_and_run_nothing():
    done = process("-m", "tests.stress.snapshots", "--count", "150")
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert "'ok'" in done.stdout
    assert "'refused'" in done.stdout


WRONG = """
import os, signal, time
from tests.stress import snapshots

uses = {
    "traceback": lambda content: 1 / 0,
    "import": lambda content: __import__("this_is_none"),
    "open": lambda content: open("/etc/hostname"),
    "compile": lambda content: compile("1", "x", "eval"),
    "run": lambda content: os.system("true"),
    "hang": lambda content: time.sleep(9),
    "loop": lambda content: sum(1 for _ in iter(int, 1)),
    "memory": lambda content: bytearray(b"x") * 2**28 and None,
    "fine": lambda content: None,
}
for kind in (signal.SIGALRM, signal.SIGPROF):
    signal.signal(kind, snapshots._expired)
snapshots.BYTES, watch = 2**27, snapshots.Watch()
for name, snapshots.READ in uses.items():
    snapshots.SECONDS, snapshots.WAIT = (0.5, 1) if name in ("hang", "loop") else (30, 60)
    print(name, snapshots.tried(watch, b"", snapshots._peak())[0])
"""


def test_what_falls_short_is_seen():
    outcomes = dict(line.split() for line in process("-c", WRONG).stdout.splitlines())
    seen = {**dict.fromkeys(("import", "open", "compile", "run"), "forbidden"), "fine": "ok", "loop": "hang"}
    assert outcomes == {**seen, **{name: name for name in ("traceback", "hang", "memory")}}
