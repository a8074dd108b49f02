"""The training loop: data in, steps, and what a run leaves behind."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from rich.console import Console

from ..data.base import VideoDataset
from ..data.clips import Clips, loader
from ..data.memory import kept_in_memory
from ..data.open import open_dataset
from ..errors import InrvidError
from ..files import write_text
from ..models import build_discriminator, build_generator
from ..recipe import Recipe
from .checkpoint import load_checkpoint, save_checkpoint
from .monitor import Monitor
from .samples import write_real, write_samples
from .score import Scorer, Scores
from .stats import Stats
from .step import Batch, TrainingStep


class Interrupted(Exception):
    """The run was asked to stop; it has saved what it needs to go on."""


class Trainer:
    """One run of a recipe in a folder.

    Args:
        recipe: resolved; what depends on the data (number of classes, frame rate) is filled in here.
        run_dir: existing folder.
        resume: checkpoint to go on from.
        cpu: do not use an accelerator.

    Raises:
        InrvidError: the data is missing, unusable, or contradicts the recipe.
    """

    def __init__(
        self,
        recipe: Recipe,
        run_dir: Path,
        *,
        resume: Path | None = None,
        cpu: bool = False,
        console: Console | None = None,
    ):
        self.accelerator = Accelerator(cpu=cpu)
        self.console = console or Console()
        self.run_dir = run_dir
        dataset = open_dataset(recipe.data)
        self._say(*dataset.summary())
        self.recipe = fit_to_data(recipe, dataset)
        processes = self.accelerator.num_processes
        if self.recipe.train.batch_size % processes:
            raise InrvidError(
                f"train.batch_size: {self.recipe.train.batch_size} clips cannot be shared by {processes} processes"
            )
        self.dataset = kept_in_memory(dataset)
        G, D = (
            build_generator(self.recipe.generator, seed=self.recipe.seed),
            build_discriminator(self.recipe.discriminator, seed=self.recipe.seed),
        )
        self.training = TrainingStep(self.recipe, G, D, self.accelerator)
        self.step = load_checkpoint(resume, self.training) if resume else 0
        self._say(
            f"generator {_millions(G)} parameters, discriminator {_millions(D)}; {self.accelerator.device}"
            + (f"; continuing at {self.clips} clips" if self.step else "")
        )

    @property
    def clips(self) -> int:
        """Real clips shown to the discriminator so far."""
        return self.step * self.recipe.train.batch_size

    @property
    def generator(self) -> Any:
        """The moving average of the generator, which is what is saved and shown."""
        return self.training.ema.module

    def run(self) -> Scores:
        """Train to the recipe's end; returns the scores of the result.

        Raises:
            Interrupted: after SIGINT or SIGTERM; the state is saved.
        """
        if self.accelerator.is_main_process:
            write_text(self.run_dir / "recipe.yaml", self.recipe.to_yaml())
            if not self.step:
                write_real(self.dataset, self.run_dir / "samples", count=self._shown, seed=self.recipe.seed)
                self._sample()
        self._loop()
        return self._score()

    def _loop(self) -> None:
        config = self.recipe.train
        end = round(config.kclips * 1000)
        intervals = (config.log_kclips, config.sample_kclips, config.checkpoint_kclips)
        logs, samples, checkpoints = (Interval(kclips, self.clips) for kclips in intervals)
        stats = Stats()
        batches = self._batches()
        monitor_console = self.console if self.accelerator.is_main_process else Console(quiet=True)
        with Stopper() as stopper, Monitor(self.run_dir, config, clips=self.clips, console=monitor_console) as monitor:
            while self.clips < end and not stopper.asked:
                stats.add(self.training(self.step, next(batches)))
                self.step += 1
                monitor.advance(self.clips)
                if logs.passed(self.clips) or self.clips >= end:
                    monitor.log(self.step, stats.means(self.accelerator))
                if samples.passed(self.clips) and self.accelerator.is_main_process:
                    self._sample()
                if checkpoints.passed(self.clips) or self.clips >= end:
                    self._save()
        if stopper.asked and self.clips < end:
            self._save()
            raise Interrupted

    def _batches(self) -> Iterator[Batch]:
        config, index, processes = self.recipe.train, self.accelerator.process_index, self.accelerator.num_processes
        device = self.accelerator.device
        share = config.batch_size // processes
        batches = loader(
            Clips(self.dataset, self.training.sampler, self.recipe.seed),
            config.batch_size,
            start_step=self.step,
            process_index=index,
            num_processes=processes,
            workers=self.recipe.data.workers,
            pin_memory=device.type == "cuda",
        )
        for batch in batches:
            frames = batch["frames"].to(device, non_blocking=True).float() / 127.5 - 1
            t, label = (batch[key].to(device, non_blocking=True) for key in ("t", "label"))
            if not self.recipe.generator.label_dim:
                label = label[:, :0]
            yield Batch(frames, t, label, range(index * share, (index + 1) * share))

    def _sample(self) -> None:
        write_samples(self.generator, self.run_dir / "samples", f"clips-{self.clips:012d}", count=self._shown)

    @property
    def _shown(self) -> int:
        return self.recipe.train.sample_videos

    def _save(self) -> None:
        if self.accelerator.is_main_process:
            save_checkpoint(self.run_dir / "checkpoints", self.training, step=self.step, clips=self.clips)
            self.generator.save_pretrained(
                self.run_dir / "model",
                recipe=self.recipe.to_dict(),
                clips=self.clips,
                data_fingerprint=self.dataset.fingerprint,
            )
        self.accelerator.wait_for_everyone()

    def _score(self) -> Scores:
        """Score the result beside the untrained generator, on the main process."""
        if not self.recipe.eval.metrics or not self.accelerator.is_main_process:
            return {}
        scorer = Scorer(self.recipe)
        device = self.accelerator.device
        untrained = build_generator(self.recipe.generator, seed=self.recipe.seed).eval().to(device)
        before, after = scorer(untrained), scorer(self.generator)
        scores = {"untrained": before, "trained": after, "clips": self.recipe.eval.clips}
        write_text(self.run_dir / "scores.json", json.dumps(scores, indent=2) + "\n")
        self._say(f"{'distance from real clips':<34}{'untrained':>12}{'trained':>12}   (lower is better)")
        sums = sum(before.values()), sum(after.values())
        for name, *pair in [*((name, before[name], after[name]) for name in after), ("sum", *sums)]:
            self._say(f"  {name:<32}{pair[0]:>12.1f}{pair[1]:>12.1f}")
        return after

    def _say(self, *lines: str) -> None:
        if self.accelerator.is_main_process:
            for line in lines:
                self.console.print(line, markup=False, highlight=False, soft_wrap=True)


class Interval:
    """Tells once each time that the number of clips passes a multiple of `kclips` thousand."""

    def __init__(self, kclips: float, clips: int):
        self._length = kclips * 1000
        self._count = int(clips / self._length)

    def passed(self, clips: int) -> bool:
        count = int(clips / self._length)
        passed, self._count = count > self._count, count
        return passed


class Stopper:
    """Turns the first SIGINT or SIGTERM into a request to stop after the step; the second acts at once."""

    SIGNALS = (signal.SIGINT, signal.SIGTERM)

    def __init__(self) -> None:
        self.asked = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Stopper:
        try:
            self._before = {number: signal.signal(number, self._ask) for number in self.SIGNALS}
        except ValueError:  # not the main thread: whoever runs us there handles signals
            self._before = {}
        return self

    def __exit__(self, *args: object) -> None:
        self._restore()

    def _ask(self, number: int, frame: Any) -> None:
        self.asked = True
        self._restore()

    def _restore(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)


def fit_to_data(recipe: Recipe, dataset: VideoDataset) -> Recipe:
    """The recipe with what it leaves to the data: the number of classes, the frame rate.

    Raises:
        InrvidError: the recipe's number of classes is not the data's.
    """
    generator, discriminator = recipe.generator, recipe.discriminator
    classes = len(dataset.classes)
    if generator.label_dim not in (0, classes):
        raise InrvidError(
            f"generator.label_dim: is {generator.label_dim}, but the data has {classes} classes: "
            f"--set generator.label_dim={classes}"
        )
    update: dict[str, Any] = {"label_dim": classes}
    discriminator = discriminator.model_copy(update=update)
    if "fps" not in generator.model_fields_set:
        update["fps"] = dataset.fps
    return recipe.model_copy(update={"generator": generator.model_copy(update=update), "discriminator": discriminator})


def _millions(module: torch.nn.Module) -> str:
    return f"{sum(p.numel() for p in module.parameters()) / 1e6:.2f} M"
