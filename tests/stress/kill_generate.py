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

FRAMES = 2000


def command(model: Path, output: Path, seed: int, frames: int = FRAMES) -> list[str]:
    line = [sys.executable, "-m", "inrvid", "generate", model, "-o", output, "--frames", frames, "--seed", seed]
    return [*map(str, line), "--cpu"]


def killed(line: list[str], seconds: float, folder: Path | None = None) -> float | None:
    """Kill a command, unless it ends before: then, how long it took.

    Args:
        seconds: after its start; or, with `folder`, after the first new file there: what is before writes nothing.
    """
    before = set() if folder is None else set(folder.iterdir())
    process = subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    while folder is not None and process.poll() is None and set(folder.iterdir()) <= before:
        time.sleep(0.002)
    began = time.monotonic()
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return None
    return time.monotonic() - began


def trial(model: Path, folder: Path, suffix: str, kills: int, chance: random.Random) -> int:
    """Number of kills that hit a running command: half of them anywhere, half while it writes."""
    place = folder / "killed"
    place.mkdir()
    output = place / f"out{suffix}"
    wholes, takes = {}, {}
    for seed in (0, 1):
        where = place if seed else None
        takes[seed] = killed(command(model, output, seed), 1e6, where) or 0.0
        wholes[seed] = output.read_bytes()
        output.unlink()
    hit = 0
    for kill in range(kills):
        if kill % 4 == 0:
            output.unlink(missing_ok=True)
        before = output.read_bytes() if output.exists() else None
        seed = kill // 2 % 2
        ended = killed(command(model, output, seed), chance.uniform(0, takes[kill % 2]), place if kill % 2 else None)
        hit += ended is None
        takes[kill % 2] = ended or takes[kill % 2]  # the machine may have become faster
        after = output.read_bytes() if output.exists() else None
        assert after in (before, wholes[seed]), f"{output}: neither what was there nor the new one"
    subprocess.run(command(model, output, 1), check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
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
