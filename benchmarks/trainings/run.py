"""Trainings to where they are compared, scores and strips there."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

from pydantic import Field

from inrvid.documents import Document, read
from inrvid.errors import InrvidError
from inrvid.files import write_text

from .plan import Plan, System

FIRST = (500, 2500)
"""Clips of the two stretches that tell the speed: the start of the process costs the same in both."""

SEEDS, FRAMES = 4, 16
"""Of a strip."""


class Stretch(Document):
    """A process: the clips after it, and its seconds by the processor and by the clock."""

    clips: int
    seconds: float
    wall: float


class Stop(Document):
    clips: int
    minutes: float = Field(description="of the processor, without starting processes")


class Spent(Document):
    """How far a training is."""

    stretches: list[Stretch] = Field([])
    stops: dict[str, Stop] = Field({}, description="`clips` and `minutes`, once they are scored")

    @property
    def clips_a_minute(self) -> float:
        """Of the first two stretches."""
        first, second = self.stretches[:2]
        return 60 * (second.clips - 2 * first.clips) / max(second.seconds - first.seconds, 1e-9)


def compare(plan: Plan, system: System, out: Path) -> None:
    """Train one system to its two stops. Raises InrvidError: a command has failed."""
    folder = out / system.name
    folder.mkdir(parents=True, exist_ok=True)
    spent = read(folder / "spent.json", Spent) if (folder / "spent.json").exists() else Spent()
    for clips in FIRST[len(spent.stretches) :]:
        spent = _train(plan, system, folder, clips, spent)
    for name, clips in _stops(plan, spent):
        if name in spent.stops:
            continue
        if clips > spent.stretches[-1].clips:
            spent = _train(plan, system, folder, clips, spent)
        _score(plan, folder, name)
        reached = spent.stretches[-1].clips
        stop = Stop(clips=reached, minutes=reached / spent.clips_a_minute)
        spent = _kept(folder, spent.model_copy(update={"stops": {**spent.stops, name: stop}}))


def _stops(plan: Plan, spent: Spent) -> list[tuple[str, int]]:
    """Name and number of clips, in the order in which they come."""
    stops = {"clips": round(1000 * plan.kclips), "minutes": round(plan.minutes * spent.clips_a_minute)}
    return sorted(stops.items(), key=lambda stop: stop[1])


def _train(plan: Plan, system: System, folder: Path, clips: int, spent: Spent) -> Spent:
    keys = [*plan.set, *system.set, f"train.kclips={clips / 1000}", "eval.metrics=[]"]
    settings = [part for key in keys for part in ("--set", key)]
    used, began = _used(), time.monotonic()
    _inrvid(folder, "train", system.recipe, "--run-dir", str(folder / "run"), "--cpu", *settings)
    stretch = Stretch(clips=clips, seconds=_used() - used, wall=time.monotonic() - began)
    return _kept(folder, spent.model_copy(update={"stretches": [*spent.stretches, stretch]}))


def _score(plan: Plan, folder: Path, name: str) -> None:
    data = [part for key, value in plan.data.items() for part in ("--data", f"{key}={json.dumps(value)}")]
    model, choices = folder / "run" / "model", ["--protocol", plan.protocol, "--set", f"clips={plan.clips}"]
    record = ["-o", str(folder / f"{name}.json")]
    _inrvid(folder, "evaluate", str(model), "--against", "procedural", *data, *choices, "--cpu", *record)
    draw(model, folder / f"{name}.png")


def draw(model: Path, path: Path) -> None:
    """A row a seed, none selected, time from left to right."""
    import numpy as np
    import torch

    from inrvid import VideoGenerator
    from inrvid.applications.generate import video_of_seed
    from inrvid.video_io import enlarge, strip, write_image

    G = VideoGenerator.from_pretrained(model)
    videos = np.stack([video_of_seed(G, seed, torch.arange(FRAMES)) for seed in range(SEEDS)])
    write_image(path, enlarge(strip(videos, rows=SEEDS, columns=FRAMES), 2))


def _used() -> float:
    """Seconds of the processor by all commands that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _inrvid(folder: Path, *arguments: str) -> None:
    with (folder / "log.txt").open("a") as log:
        print("$ inrvid", *arguments, file=log, flush=True)
        command = [sys.executable, "-m", "inrvid", *arguments]
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        code = subprocess.run(command, stdout=log, stderr=subprocess.STDOUT, env=environment, check=False).returncode
    if code:
        last = (folder / "log.txt").read_text().strip().splitlines()[-1]
        raise InrvidError(
            f"{folder.name}: inrvid {arguments[0]} ended with {code}: {last}\n  all: {folder / 'log.txt'}"
        )


def _kept(folder: Path, spent: Spent) -> Spent:
    write_text(folder / "spent.json", spent.model_dump_json(indent=2) + "\n")
    return spent
