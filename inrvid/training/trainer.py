"""The training loop: data in, steps, and what a run leaves behind."""

from __future__ import annotations

import itertools
import json
import shutil
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
from .checkpoint import bytes_needed, load_checkpoint, prune, save_checkpoint
from .monitor import Monitor
from .samples import write_real, write_samples
from .score import Scorer, Scores
from .sharing import shares
from .stats import Stats
from .step import Batch, TrainingStep
from .stopping import Stopper


class Interrupted(Exception):
    """The run was asked to stop by `signal`; it has saved what it needs to go on."""

    def __init__(self, signal: int):
        super().__init__(signal)
        self.signal = signal


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
        # Motion codes need float64, which Apple's devices lack.
        self.accelerator = Accelerator(cpu=cpu or not torch.cuda.is_available())
        self.console = console or Console()
        self.run_dir = run_dir
        dataset = open_dataset(recipe.data)
        self._say(*dataset.summary())
        self.recipe = fit_to_data(recipe, dataset)
        self.dataset = kept_in_memory(dataset)
        G, D = (
            build_generator(self.recipe.generator, seed=self.recipe.seed),
            build_discriminator(self.recipe.discriminator, seed=self.recipe.seed),
        )
        config = self.recipe.train
        self.samples = shares(config.batch_size, D.group, self.accelerator.num_processes, config.micro_batch)[
            self.accelerator.process_index
        ]
        self.training = TrainingStep(self.recipe, G, D, self.accelerator)
        self.step, self.clips = load_checkpoint(resume, self.training) if resume else (0, 0)
        self._check_space()
        self._say(
            f"generator {_millions(G)} parameters, discriminator {_millions(D)}; {self.accelerator.device}"
            + (f"; continuing at {self.clips} clips" if self.step else "")
        )

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
        if self.clips >= end:
            self._say(f"already at {self.clips} clips: to go on, --set train.kclips={2 * config.kclips:g}")
            self._save()
            return
        intervals = (config.log_kclips, config.sample_kclips, config.checkpoint_kclips)
        logs, samples, checkpoints = (Interval(kclips, self.clips) for kclips in intervals)
        stats = Stats()
        batches = self._batches()
        with Stopper() as stopper, self._monitor() as monitor:
            while self.clips < end and not stopper.agreed():
                stats.add(self.training(self.step, next(batches), clips_seen=self.clips))
                self.step, self.clips = self.step + 1, self.clips + config.batch_size
                monitor.advance(self.clips)
                if logs.passed(self.clips) or self.clips >= end:
                    monitor.log(self.step, stats.means(self.accelerator))
                if samples.passed(self.clips) and self.accelerator.is_main_process:
                    self._sample()
                if checkpoints.passed(self.clips) or self.clips >= end:
                    self._save()
        if self.clips < end:
            self._save()
            raise Interrupted(stopper.signal)

    def _monitor(self) -> Monitor:
        main = self.accelerator.is_main_process
        console = self.console if main else Console(quiet=True)
        return Monitor(self.run_dir if main else None, self.recipe.train, clips=self.clips, console=console)

    def _batches(self) -> Iterator[list[Batch]]:
        """The micro-batches of each step, on the device."""
        device = self.accelerator.device
        batches = loader(
            Clips(self.dataset, self.training.sampler, self.recipe.seed),
            list(itertools.chain(*self.samples)),
            start_step=self.step,
            workers=self.recipe.data.workers,
            num_processes=self.accelerator.num_processes,
            pin_memory=device.type == "cuda",
        )
        size = len(self.samples[0])
        for batch in batches:
            frames = batch["frames"].to(device, non_blocking=True)
            t, label = (batch[key].to(device, non_blocking=True) for key in ("t", "label"))
            label = label if self.recipe.generator.label_dim else label[:, :0]
            parts = zip(frames.split(size), t.split(size), label.split(size), self.samples, strict=True)
            yield [Batch(f.float() / 127.5 - 1, times, classes, own) for f, times, classes, own in parts]

    def _sample(self) -> None:
        write_samples(self.generator, self.run_dir / "samples", f"clips-{self.clips:012d}", count=self._shown)

    @property
    def _shown(self) -> int:
        return self.recipe.train.sample_videos

    def _save(self) -> None:
        self.training.prepare_to_save()
        if self.accelerator.is_main_process:
            folder, config = self.run_dir / "checkpoints", self.recipe.train
            save_checkpoint(folder, self.training, step=self.step, clips=self.clips)
            keep_every = None if config.keep_kclips is None else round(config.keep_kclips * 1000)
            prune(folder, keep_last=config.keep_last, keep_every=keep_every)
            self.generator.save_pretrained(
                self.run_dir / "model",
                recipe=self.recipe.to_dict(),
                clips=self.clips,
                data_fingerprint=self.dataset.fingerprint,
            )
        self.accelerator.wait_for_everyone()

    def _check_space(self) -> None:
        """Refuse to start what cannot save: room for the checkpoints that are kept at once, and one being written."""
        if not self.accelerator.is_main_process:
            return
        needed = (self.recipe.train.keep_last + 1) * bytes_needed(self.training)
        free = shutil.disk_usage(self.run_dir).free
        if free < needed:
            raise InrvidError(
                f"{self.run_dir}: checkpoints need {needed / 2**30:.1f} GiB, {free / 2**30:.1f} GiB are free: "
                "make room, or give a --run-dir on another disk"
            )

    def _score(self) -> Scores:
        """Score the result beside the untrained generator, on the main process."""
        if not self.recipe.eval.metrics or not self.accelerator.is_main_process:
            return {}
        scorer = Scorer(self.recipe)
        device = self.accelerator.device
        untrained = build_generator(self.recipe.generator, seed=self.recipe.seed).eval().to(device)
        before, after = scorer(untrained), scorer(self.generator)
        scores = {"untrained": before, "trained": after, "clips": scorer.clips}
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
