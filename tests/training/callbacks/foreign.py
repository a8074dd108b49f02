"""Callbacks of another package, written as a user would write them. The tests make it a package by its entry points."""

from __future__ import annotations

import json
import time

from pydantic import Field

from inrvid.config import PartConfig
from inrvid.training.callbacks.base import Callback

seen: list = []
"""By `Recorder`: (moment, clips)."""


class Recorder(Callback):
    def on_start(self, run):
        seen.append(("start", run.clips))

    def on_enter(self, run):
        seen.append(("enter", run.clips))

    def on_step(self, run, values):
        seen.append(("step", run.clips))

    def on_checkpoint(self, run, folder):
        assert (folder / "manifest.json").is_file()
        seen.append(("checkpoint", int(folder.name[6:])))

    def on_leave(self, run):
        seen.append(("leave", run.clips))

    def on_end(self, run):
        seen.append(("end", run.clips))


class JournalConfig(PartConfig):
    stop_at: int = Field(10**9, description="clips")
    process: int = Field(0, description="which asks")


class Journal(Callback):
    """A log of its own, of all processes; and an end that one of them asks for."""

    Config = JournalConfig

    def on_start(self, run):
        note = run.run_dir / "note"
        with run.others_wait():
            if run.is_main:
                time.sleep(0.5)
                note.write_text("ready")
        assert note.is_file()

    def on_step(self, run, values):
        loss = float(run.accelerator.reduce(values["loss/G"].mean(), "mean"))
        if run.is_main:
            with (run.run_dir / "journal").open("a") as file:
                file.write(json.dumps([run.clips, loss]) + "\n")
        if run.clips >= self.config.stop_at and run.accelerator.process_index == self.config.process:
            run.stop("it is enough")


class MoodyConfig(PartConfig):
    moment: str = Field("step", description="at which it fails")
    clips: int = Field(36, description="from which on")
    processes: list[int] = Field([0, 1], description="in which")


class Moody(Callback):
    """It fails."""

    Config = MoodyConfig

    def __init__(self, config):
        super().__init__(config)
        if config.moment == "init":
            raise ValueError("no mood")

    def fail(self, run, moment):
        here = run.accelerator.process_index in self.config.processes
        if moment == self.config.moment and run.clips >= self.config.clips and here:
            raise ValueError("a bad\nmood")

    def on_start(self, run):
        self.fail(run, "start")

    def on_enter(self, run):
        self.fail(run, "enter")

    def on_step(self, run, values):
        self.fail(run, "step")

    def on_checkpoint(self, run, folder):
        self.fail(run, "checkpoint")

    def on_leave(self, run):
        self.fail(run, "leave")

    def on_end(self, run):
        self.fail(run, "end")
