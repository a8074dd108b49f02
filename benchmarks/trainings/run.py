"""Trainings to where they are compared, scores and strips there."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from pydantic import Field

from inrvid.documents import Document, read
from inrvid.errors import InrvidError
from inrvid.files import write_text

from .plan import Plan, StopName, System

FIRST = (500, 2500)
"""Clips of the two stretches that tell the speed: the start of the process costs the same in both."""

SEEDS = 4
"""Rows of a strip."""
DRAWN = 250
"""Frames of the video that tells the speed of drawing."""


class Stretch(Document):
    """A process: the clips after it, its seconds by the processor and by the clock, and its memory."""

    clips: int
    seconds: float
    wall: float
    megabytes: float = Field(0.0, description="at most resident")


class Stop(Document):
    clips: int
    minutes: float = Field(
        description="of training, without starting processes; where no stop is by minutes, with them"
    )
    drawing: float = Field(0.0, description="seconds for a thousand frames of one video")


class Spent(Document):
    """How far a training is."""

    stretches: list[Stretch] = Field([])
    stops: dict[str, Stop] = Field({}, description="`clips` and `minutes`, once they are scored")
    by_clock: bool = Field(False, description="whether minutes are the clock's: of a device, beside the processor")

    @property
    def clips_a_minute(self) -> float:
        """Of the first two stretches; where there is one alone, of it with its start."""
        if len(self.stretches) == 1:
            (whole,) = self.stretches
            return 60 * whole.clips / max(whole.wall if self.by_clock else whole.seconds, 1e-9)
        first, second = self.stretches[:2]
        seconds = second.wall - first.wall if self.by_clock else second.seconds - first.seconds
        return 60 * (second.clips - 2 * first.clips) / max(seconds, 1e-9)


@dataclasses.dataclass(frozen=True)
class Training:
    """One system with one seed, in its folder."""

    plan: Plan
    system: System
    seed: int
    folder: Path
    gpu: bool = False


def compare(training: Training) -> None:
    """Train to the stops. Raises InrvidError: a command has failed."""
    folder = training.folder
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "spent.json"
    spent = read(path, Spent) if path.exists() else Spent(by_clock=training.gpu)
    if spent.by_clock != training.gpu:
        raise InrvidError(f"{folder}: was begun {'on' if spent.by_clock else 'without'} a GPU: give another folder")
    if training.plan.minutes and spent.stretches and spent.stretches[0].clips != FIRST[0]:
        raise InrvidError(f"{folder}: was begun with --minutes 0: go on with it, or give another folder")
    for clips in FIRST[len(spent.stretches) :] if training.plan.minutes else ():
        spent = _train(training, clips, spent)
    if training.plan.minutes and training.gpu and spent.stretches[1].wall <= spent.stretches[0].wall:
        raise InrvidError(
            f"{folder}: its first {spent.stretches[0].clips:,} clips took longer than those after them, as where "
            "something had to be compiled first: no rate can be told. Remove the folder, and begin again"
        )
    for name, clips in _stops(training.plan, spent):
        if name in spent.stops:
            continue
        if not spent.stretches or clips > spent.stretches[-1].clips:
            spent = _train(training, clips, spent)
        drawing = _score(training, name)
        reached = spent.stretches[-1].clips
        stop = Stop(clips=reached, minutes=reached / spent.clips_a_minute, drawing=drawing)
        spent = _kept(folder, spent.model_copy(update={"stops": {**spent.stops, name: stop}}))


def _stops(plan: Plan, spent: Spent) -> list[tuple[StopName, int]]:
    """Name and number of clips, in the order in which they come."""
    stops: list[tuple[StopName, int]] = [("clips", round(1000 * plan.kclips))]
    if plan.minutes:
        stops.append(("minutes", round(plan.minutes * spent.clips_a_minute)))
    return sorted(stops, key=lambda stop: stop[1])


def _train(training: Training, clips: int, spent: Spent) -> Spent:
    plan, system, run = training.plan, training.system, training.folder / "run"
    keys = [*plan.set, *system.set, f"seed={training.seed}", f"train.kclips={clips / 1000}", "eval.metrics=[]"]
    settings = [part for key in keys for part in ("--set", key)]
    began = time.monotonic()
    used = _inrvid(training.folder, "train", system.recipe, "--run-dir", str(run), *device(training.gpu), *settings)
    stretch = Stretch(clips=clips, seconds=used.seconds, wall=time.monotonic() - began, megabytes=used.megabytes)
    return _kept(training.folder, spent.model_copy(update={"stretches": [*spent.stretches, stretch]}))


def _score(training: Training, name: StopName) -> float:
    """Write the stop's record and strip; returns the seconds for a thousand frames."""
    plan, folder, model = training.plan, training.folder, training.folder / "run" / "model"
    evaluate(plan, name, model, folder / f"{name}.json", gpu=training.gpu)
    return draw(model, folder / f"{name}.png", plan.times, gpu=training.gpu)


def evaluate(plan: Plan, name: StopName, subject: Path, record: Path, *, gpu: bool) -> None:
    """Score a model, or a folder of videos, as models are at a stop. Raises InrvidError: the command has failed."""
    data = [part for key, value in plan.data.items() for part in ("--data", f"{key}={json.dumps(value)}")]
    metrics = ["--set", f"metrics={json.dumps(plan.metrics[name])}"] if name in plan.metrics else []
    choices = [part for key in (f"clips={plan.clips}", *plan.choices) for part in ("--set", key)]
    protocol = ["--protocol", plan.protocol, *choices, *metrics, *device(gpu)]
    _inrvid(record.parent, "evaluate", str(subject), "--against", plan.against, *data, *protocol, "-o", str(record))


def device(gpu: bool) -> list[str]:
    """Options of a command."""
    return [] if gpu else ["--cpu"]


def draw(model: Path, path: Path, times: Sequence[int], *, gpu: bool) -> float:
    """A row a seed, none selected, time from left to right; returns the seconds that a thousand frames of one take."""
    import numpy as np
    import torch

    from inrvid import VideoGenerator
    from inrvid.applications.generate import video_of_seed
    from inrvid.video_io import strip, write_image

    G = VideoGenerator.from_pretrained(model).to("cuda" if gpu else "cpu").requires_grad_(False)
    videos = np.stack([video_of_seed(G, seed, torch.tensor(times, device=G.device)) for seed in range(SEEDS)])
    write_image(path, strip(videos, rows=SEEDS, columns=len(times)))
    t = torch.arange(DRAWN, device=G.device)
    began = time.monotonic()
    video_of_seed(G, 0, t)
    return (time.monotonic() - began) * 1000 / DRAWN


@dataclasses.dataclass(frozen=True)
class Used:
    """By a command and those that it started."""

    seconds: float
    """Of the processor."""
    megabytes: float
    """At most resident, of one process."""


def _inrvid(folder: Path, *arguments: str) -> Used:
    with (folder / "log.txt").open("a") as log:
        print("$ inrvid", *arguments, file=log, flush=True)
        command = [sys.executable, "-m", "inrvid", *arguments]
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, env=environment)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = code = os.waitstatus_to_exitcode(status)
    if code:
        last = (folder / "log.txt").read_text().strip().splitlines()[-1]
        raise InrvidError(
            f"{folder.name}: inrvid {arguments[0]} ended with {code}: {last}\n  all: {folder / 'log.txt'}"
        )
    return Used(usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def _kept(folder: Path, spent: Spent) -> Spent:
    write_text(folder / "spent.json", spent.model_dump_json(indent=2) + "\n")
    return spent
