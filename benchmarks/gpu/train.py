"""The small models that are published, trained at once on one GPU: alone, each would wait for its own launches.

Each run lies in a folder of its own, out/models/NAME, from which the same command goes on; the processes are detached,
so that a call that is cut short ends none of them before it has saved.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

MODELS = (
    "stylegan_v_landscapes_64",
    "digan_landscapes_64",
    "cross_inr_conv1d_landscapes_64",
    "cross_stylegan2_global_landscapes_64",
)
BUNNY = ("stylegan_v_bunny_64", "digan_bunny_64")
"""Where there is a folder `bunny` (recipes/data/big_buck_bunny.py)."""

TOY = ("quickstart",)
PATIENCE = 120
"""Seconds that the runs may take to save what they have."""


def run(out: Path, minutes: float, smoke: bool, bunny: Path) -> list[str]:
    """What failed."""
    names = TOY if smoke else MODELS + (BUNNY if bunny.is_dir() else ())
    print(f"\n== train: {', '.join(names)}, {minutes:g} minutes", flush=True)
    began, running = time.monotonic(), {}
    for name in names:
        data = ["--data", str(bunny)] if name in BUNNY else []
        running[name] = _started(name, out / "models" / name, [*data, *_settings(smoke)])
    while any(process.poll() is None for process in running.values()) and time.monotonic() - began < 60 * minutes:
        time.sleep(0.5)
    for process in running.values():
        if process.poll() is None:
            process.terminate()
    until = time.monotonic() + PATIENCE
    codes = {name: _ended(process, until) for name, process in running.items()}
    for name, code in codes.items():
        told = (out / "models" / name / "log.txt").read_text().strip().splitlines()
        print(f"{name:<36} exit {code}  {told[-1] if told else ''}", flush=True)
    return [f"train: {name}: exit {code}" for name, code in codes.items() if code not in (0, 128 + signal.SIGTERM)]


def _settings(smoke: bool) -> list[str]:
    keys = ["train.keep_last=1", "train.sample_videos=9", "train.tensorboard=false"]
    keys += ["train.kclips=0.048", "data.videos=32", "eval.metrics=[]"] if smoke else []
    return [part for key in keys for part in ("--set", key)]


def _started(name: str, folder: Path, arguments: list[str]) -> subprocess.Popen[bytes]:
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "inrvid", "train", name, "--run-dir", str(folder), *arguments]
    with (folder / "log.txt").open("a") as log:
        return subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, start_new_session=True)


def _ended(process: subprocess.Popen[bytes], until: float) -> int | None:
    """Its exit code; none where it goes on saving, by itself."""
    try:
        return process.wait(max(0, until - time.monotonic()))
    except subprocess.TimeoutExpired:
        return None
