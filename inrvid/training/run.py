"""A training in progress, as callbacks and the modules beside the trainer see it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

from accelerate import Accelerator
from rich.console import Console

from ..data.base import VideoDataset
from ..evaluation.score import Scores
from ..generators.base import VideoGenerator
from ..recipe.schema import Recipe
from ..text import printable
from .processes.group import Group
from .processes.stopping import Stopper
from .processes.surroundings import device_name
from .step import TrainingStep


class Run:
    """What a training consists of, and how far it has come.

    Attributes:
        recipe: resolved; what depends on the data is filled in.
        run_dir: the run's folder, the same in all processes.
        dataset: the training videos.
        training: the networks G and D, their optimizers, the augmentation; how a step changes them.
        accelerator: device, and this process among the others; all processes must call `reduce` and its like together.
        console: where `say` prints.
        step: steps done.
        clips: real clips that D has seen, over all processes; `step` counts batches of them.
        rollbacks: how often a diverged training has gone back to a checkpoint.
        saved: whether the newest checkpoint holds this very state.
        scores: of the result by `metric/part`, in the main process, once it is scored; `Metric.better` says
            whether lower is better.
        group, stopper: how processes wait for each other and stop together.
        sharing_cpus: number of processes that share this one's CPUs, itself included.
    """

    recipe: Recipe
    dataset: VideoDataset
    training: TrainingStep

    def __init__(self, run_dir: Path, accelerator: Accelerator, console: Console):
        self.run_dir, self.accelerator, self.console = run_dir, accelerator, console
        self.group = Group()
        self.stopper = Stopper(self.group)
        self.sharing_cpus = self.group.sharing()
        self.step = self.clips = self.rollbacks = 0
        self.saved = False
        self.scores: Scores = {}

    @property
    def end(self) -> int:
        """Clips after which the training is complete."""
        return round(self.recipe.train.kclips * 1000)

    @property
    def generator(self) -> VideoGenerator:
        """The moving average of the generator, which is what is saved, shown and scored. Not to be changed."""
        return cast(VideoGenerator, self.training.ema.module)

    @property
    def is_main(self) -> bool:
        """Whether this is the process that writes and prints: one over all machines."""
        return bool(self.accelerator.is_main_process)

    @property
    def provenance(self) -> dict[str, Any]:
        """Where a model comes from, as plain data that is saved with it."""
        training = {"device": device_name(self.accelerator.device), "processes": self.accelerator.num_processes}
        names = {"class_names": list(self.dataset.classes)} if self.dataset.classes else {}
        return {
            "recipe": self.recipe.to_dict(),
            "clips": self.clips,
            "data_fingerprint": self.dataset.fingerprint,
            "training": training,
            **names,
        }

    def say(self, *lines: str) -> None:
        """Print lines, in the main process alone."""
        if self.is_main:
            for line in lines:
                self.console.print(printable(line), markup=False, highlight=False, soft_wrap=True)

    def stop(self, reason: str) -> None:
        """End the training after this step: it is saved, scored and published as if it were complete.

        It is enough that one process asks; the reason is printed if the main process is among those that do. The same
        command resumes from there, until the callback asks again.
        """
        self.say(f"stopping at {self.clips} clips: {reason}")
        self.stopper.ask()

    @contextlib.contextmanager
    def others_wait(self) -> Iterator[None]:
        """To be entered by all processes: inside, one of them may take its time, and the others wait for it."""
        try:
            yield
        finally:
            self.group.wait()
