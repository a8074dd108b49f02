"""Kill `inrvid generate` at random instants (SIGKILL), over a file that is there and where there is none.

    python -m tests.stress.kill_generate [--kills 20] [--seed 0] [--formats .mp4 .webm .gif .npz]

What is under the final name is always the whole old file, the whole new one, or nothing if there was nothing. The run
after the last kill removes what the killed ones left beside it.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from inrvid import build_generator

from ..small import small_generator

FRAMES = 400


def command(model: Path, output: Path, seed: int, frames: int = FRAMES) -> list[str]:
    line = [sys.executable, "-m", "inrvid", "generate", model, "-o", output, "--frames", frames, "--seed", seed]
    return [*map(str, line), "--cpu"]


def killed(line: list[str], seconds: float, folder: Path | None = None) -> bool:
    """Whether the command was still running when it was killed.

    Args:
        seconds: after its start; or, with `folder`, after the first new file there: what is before writes nothing.
    """
    before = set() if folder is None else set(folder.iterdir())
    process = subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    while folder is not None and process.poll() is None and set(folder.iterdir()) <= before:
        time.sleep(0.002)
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return True
    return False


def trial(model: Path, folder: Path, suffix: str, kills: int, chance: random.Random) -> int:
    """Number of kills that hit a running command."""
    hit = 0
    wholes = {}
    for seed in (0, 1):
        began = time.monotonic()
        subprocess.run(command(model, folder / f"{seed}{suffix}", seed), check=True, stdout=subprocess.DEVNULL)
        took = time.monotonic() - began
        wholes[seed] = (folder / f"{seed}{suffix}").read_bytes()
    place = folder / "killed"
    place.mkdir()
    output = place / f"out{suffix}"
    for kill in range(kills):
        if kill % 4 == 0:
            output.unlink(missing_ok=True)
        before = output.read_bytes() if output.exists() else None
        seed = kill % 2
        line = command(model, output, seed)
        if kill % 2:
            hit += killed(line, chance.uniform(0, took * 1.1))
        else:
            hit += killed(line, chance.uniform(0, took / 3), place)
        after = output.read_bytes() if output.exists() else None
        assert after in (before, wholes[seed]), f"{output}: neither what was there nor the new one"
    subprocess.run(command(model, output, 1), check=True, stdout=subprocess.DEVNULL)
    assert [path.name for path in place.iterdir()] == [output.name], "leftovers stay"
    assert output.read_bytes() == wholes[1]
    return hit


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--formats", nargs="+", default=[".mp4", ".webm", ".gif", ".npz"])
    options = parser.parse_args()
    chance = random.Random(options.seed)
    for suffix in options.formats:
        with tempfile.TemporaryDirectory() as temporary:
            model = Path(temporary) / "model"
            build_generator(small_generator("stylegan2", "conv1d")).save_pretrained(model)
            hit = trial(model, Path(temporary), suffix, options.kills, chance)
            print(f"{suffix}: {options.kills} kills, {hit} of a running command: no file was broken", flush=True)


if __name__ == "__main__":
    main()
