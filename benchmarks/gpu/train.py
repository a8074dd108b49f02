"""The small models that are published: trained one after another, saved, gone on with in the next borrowed half hour.

Each run lies in a folder of its own, out/models/NAME, from which the same command goes on; the processes are detached,
so that a call that is cut short ends none of them before it has saved. Files stay below what such a machine gives back.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

MODELS = ("stylegan_v_landscapes_64", "digan_landscapes_64", "stylegan_v_landscapes_128", "digan_landscapes_128")
BUNNY = ("stylegan_v_bunny_64", "digan_bunny_64")
"""Where there is a folder `bunny` (recipes/data/big_buck_bunny.py)."""

TOY = ("quickstart",)
PATIENCE = 120
"""Seconds that a run may take to save what it has."""


def run(out: Path, minutes: float, smoke: bool, bunny: Path) -> list[str]:
    """What failed."""
    names = TOY if smoke else MODELS + (BUNNY if bunny.is_dir() else ())
    print(f"\n== train: {', '.join(names)}, {minutes:g} minutes in all", flush=True)
    failed = []
    for name in names:
        data = ["--data", str(bunny)] if name in BUNNY else []
        code = _train(name, out / "models" / name, 60 * minutes / len(names), [*data, *_settings(smoke)])
        failed += [f"train: {name}: exit {code}"] if code not in (0, 128 + signal.SIGTERM) else []
    return failed


def _settings(smoke: bool) -> list[str]:
    """As many videos as fit in a few seconds; nothing that a file of the run would grow with."""
    keys = ["train.keep_last=1", "train.sample_videos=9", "train.tensorboard=false"]
    keys += ["train.kclips=0.048", "data.videos=32", "eval.metrics=[]"] if smoke else []
    return [part for key in keys for part in ("--set", key)]


def _train(name: str, folder: Path, seconds: float, arguments: list[str]) -> int | None:
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "inrvid", "train", name, "--run-dir", str(folder), *arguments]
    with (folder / "log.txt").open("a") as log:
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, start_new_session=True)
        began = time.monotonic()
        while process.poll() is None and time.monotonic() - began < seconds:
            time.sleep(0.5)
        if process.poll() is None:
            process.terminate()
        try:
            code = process.wait(PATIENCE)
        except subprocess.TimeoutExpired:  # it goes on saving, by itself
            code = None
    told = (folder / "log.txt").read_text().strip().splitlines()
    print(f"{name:<28} exit {code}  {told[-1] if told else ''}", flush=True)
    return code
