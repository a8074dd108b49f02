"""Kill a run at random instants (SIGKILL, to the whole process group), restart it each time, and compare its final
weights with those of a run that was left alone: bit by bit.

    python -m tests.stress.kill_and_resume [--kills 15] [--kills-of-two 6] [--seed 0]

The run is a small one that saves a checkpoint every step, so that kills fall into saves and pruning too. Some restarts
go back to an older checkpoint, and some are of a run that is complete. After each kill the intact checkpoints are
counted: there are never fewer than the recipe keeps, once as many were there.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import tempfile
import time
from pathlib import Path

import psutil
import torch

from inrvid.training.checkpoint import damage
from inrvid.training.keeping import checkpoints

from ..training.test_processes import command, environment, weights

CLIPS = 4800
RESTARTS = 3
SETTINGS = ["--set", "train.checkpoint_kclips=0.012", "--set", "train.keep_last=3"]
KEPT = 3


def start(folder: Path, processes: int, *more: str) -> subprocess.Popen[bytes]:
    arguments = command(folder, *SETTINGS, *more, clips=CLIPS, processes=processes)
    log = (folder.parent / f"{folder.name}.log").open("ab")
    return subprocess.Popen(arguments, env=environment(), stdout=log, stderr=log, start_new_session=True)


def kill_tree(pid: int) -> None:
    for victim in (psutil.Process(pid), *psutil.Process(pid).children(recursive=True)):
        victim.kill()


def wait_for_progress(folder: Path, process: subprocess.Popen[bytes]) -> None:
    """Until the restarted run has begun to train, or has ended."""
    metrics = folder / "metrics.jsonl"
    before = metrics.stat().st_size if metrics.exists() else 0
    while process.poll() is None and (metrics.stat().st_size if metrics.exists() else 0) <= before:
        time.sleep(0.02)


def intact(folder: Path) -> int:
    """Number of intact checkpoints, set aside or not."""
    return sum(damage(path) is None for path in (folder / "checkpoints").glob("**/clips-*") if path.is_dir())


def going_back(folder: Path, chance: random.Random) -> list[str]:
    """Now and then, the option that goes back to an older checkpoint."""
    older = [path for path in checkpoints(folder / "checkpoints")[:-1] if damage(path) is None]
    return ["--resume", str(chance.choice(older))] if older and chance.random() < 0.25 else []


def interrupted_run(folder: Path, processes: int, kills: int, chance: random.Random) -> int:
    """Number of kills that hit a living run."""
    done = least = 0
    while done < kills:
        process = start(folder, processes, *going_back(folder, chance))
        if chance.random() < 0.75:  # else anywhere from the very start on, in a quarter of the cases
            wait_for_progress(folder, process)
            time.sleep(chance.uniform(0, 1.0))
        else:
            time.sleep(chance.uniform(0, 5.0))
        if process.poll() is not None:
            break  # it came to its end between two kills
        kill_tree(process.pid)
        process.wait()
        time.sleep(0.3)
        done += 1
        now = intact(folder)
        assert now >= least, f"kill {done}: {now} intact checkpoints, there were {least}"
        least = min(KEPT, max(least, now))
    return done


def restarts(folder: Path, processes: int, chance: random.Random) -> int:
    """Kills while a complete run is started again, which must not cost the checkpoints it has."""
    before = intact(folder)
    for _ in range(RESTARTS):
        process = start(folder, processes)
        time.sleep(chance.uniform(1.5, 4.0))
        kill_tree(process.pid) if process.poll() is None else None
        process.wait()
        assert intact(folder) == before
    return RESTARTS


def finish(folder: Path, processes: int) -> None:
    process = start(folder, processes)
    assert process.wait() == 0, (folder.parent / f"{folder.name}.log").read_text()[-2000:]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=15)
    parser.add_argument("--kills-of-two", type=int, default=6)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    chance = random.Random(arguments.seed)
    with tempfile.TemporaryDirectory() as root:
        for processes, kills in ((1, arguments.kills), (2, arguments.kills_of_two)):
            alone, killed = Path(root, f"alone{processes}"), Path(root, f"killed{processes}")
            finish(alone, processes)
            done = interrupted_run(killed, processes, kills, chance)
            finish(killed, processes)
            done += restarts(killed, processes, chance)
            finish(killed, processes)
            a, b = weights(alone), weights(killed)
            different = [name for name in a if not torch.equal(a[name], b[name])]
            print(
                f"{processes} process(es): {done} kills, {len(a)} tensors, different: {different or 'none'}", flush=True
            )
            assert not different


if __name__ == "__main__":
    main()
