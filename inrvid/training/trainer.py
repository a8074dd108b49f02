"""The training loop: data in, steps, and what a run leaves behind."""

from __future__ import annotations

import itertools
import json
import shutil
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from rich.console import Console

from ..data.base import VideoDataset
from ..data.clips import Clips, loader, worker_count
from ..data.memory import kept_in_memory
from ..data.open import open_dataset
from ..data.resize import sides
from ..errors import InrvidError
from ..evaluation.score import Scorer, Scores
from ..files import write_text
from ..kernels.pages import keep_pages
from ..models.build import build_discriminator, build_generator
from ..models.hub import check_publishing
from ..precision import choose_algorithms, set_tf32
from ..recipe.schema import Recipe
from ..text import printable
from .checkpoint import bytes_needed, is_finite, load_checkpoint, save_checkpoint
from .fitting import fit_to_data
from .health import Health
from .interval import Interval
from .keeping import checkpoints, newest_intact, prune, set_aside
from .monitor import Monitor
from .processes.group import Group
from .processes.sharing import shares
from .processes.stopping import Stopper
from .processes.surroundings import (
    check_memory,
    check_open_files,
    check_shared_memory,
    checked,
    loader_trouble,
    mixed_precision,
    refuse_sharding,
)
from .samples import write_real, write_samples
from .stats import Stats
from .step import Batch, TrainingStep


class Interrupted(Exception):
    """The run was asked to stop by `signal`; it has saved what it needs to go on."""

    def __init__(self, signal: int):
        super().__init__(signal)
        self.signal = signal


class Diverged(Exception):
    """A loss is no longer finite, and the recipe wants to go back."""


MOST_ROLLBACKS = 10
ROLLBACK_STRIDE = 1_000_003
"""Between the seeds of draws before and after a rollback."""

MOST_DEATHS = 5
"""Loader workers that may die without a batch in between."""


class Trainer:
    """One run of a recipe in a folder.

    Args:
        recipe: resolved; what depends on the data (number of classes, frame rate) is filled in here.
        run_dir: existing folder.
        resume: checkpoint to go on from.
        fallbacks: others, in the order in which they are tried where it cannot be loaded.
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
        fallbacks: Sequence[Path] = (),
        cpu: bool = False,
        console: Console | None = None,
    ):
        self.accelerator = _accelerator(recipe, cpu)
        self.group = Group()
        if recipe.hub.repo_id is not None and self.accelerator.is_main_process:
            check_publishing(recipe.hub.repo_id, "hub.repo_id")
        if self.accelerator.device.type == "cpu":
            keep_pages()
        self.console = console or Console()
        self.run_dir = run_dir
        dataset = self._open_data(recipe)
        set_tf32(self.recipe.train.precision)
        choose_algorithms()
        self._check_clips()
        if self.recipe.eval.metrics and self.accelerator.is_main_process:
            self._scorer = Scorer(self.recipe, self.accelerator.device)
        self.dataset = kept_in_memory(dataset)
        G, D = (
            build_generator(self.recipe.generator, seed=self.recipe.seed),
            build_discriminator(self.recipe.discriminator, seed=self.recipe.seed),
        )
        config = self.recipe.train
        self.samples = shares(config.batch_size, D.group, self.accelerator.num_processes, config.micro_batch)[
            self.accelerator.process_index
        ]
        self._check_loader()
        lengths = torch.tensor([dataset.length(video) for video in range(len(dataset))])
        self.training = TrainingStep(self.recipe, G, D, self.accelerator, lengths)
        self.health = Health(self._say)
        self.step = self.clips = self.rollbacks = 0
        self._saved: tuple[int, int] | None = None
        if resume:
            self._resume([resume, *fallbacks])
        self._check_space()
        if (mixed := mixed_precision()) is not None:
            self._say(f"note: {mixed}")
        self._say(
            f"generator {_millions(G)} parameters, discriminator {_millions(D)}; {self.accelerator.device}"
            + (f"; continuing at {self.clips} clips" if self.step else "")
        )

    def _open_data(self, recipe: Recipe) -> VideoDataset:
        """The training data; `self.recipe` is the recipe that fits them."""
        # One process of a machine builds the index, the others find it in the cache.
        with self.group.one_first(self.accelerator.is_local_main_process):
            dataset = open_dataset(recipe.data)
        self._say(*dataset.summary())
        self.recipe = fit_to_data(recipe, dataset)
        if self.recipe.generator.fps != dataset.fps:
            self._say(
                f"note: generator.fps is {self.recipe.generator.fps:g}, the data has {dataset.fps:g} frames a second: "
                "videos will be written at the former"
            )
        return dataset

    @property
    def generator(self) -> Any:
        """The moving average of the generator, which is what is saved and shown."""
        return self.training.ema.module

    def run(self) -> Scores:
        """Train to the recipe's end, and publish if it says where; returns the scores of the result.

        Raises:
            Interrupted: after SIGINT, SIGTERM or SIGHUP; the state is saved.
            InrvidError: training diverged and is to stop, or has ended in weights that are not finite; a checkpoint
                cannot be written; or the Hub refuses.
        """
        if self.accelerator.is_main_process:
            write_text(self.run_dir / "recipe.yaml", self.recipe.to_yaml())
            if not self.step:
                write_real(self.dataset, self.run_dir / "samples", count=self._shown, seed=self.recipe.seed)
                self._sample()
        while True:
            try:
                self._loop()
                if not is_finite(self.training):  # what is scored and published is what is saved
                    raise InrvidError(f"at {self.clips} clips: {self._not_finite}")
                scores = self._score()
                self._publish(scores)
                return scores
            except Diverged:
                self._roll_back()

    def _loop(self) -> None:
        config = self.recipe.train
        end = round(config.kclips * 1000)
        if self.clips >= end:
            more = 2 * max(config.kclips, self.clips / 1000)
            self._say(f"already at {self.clips} clips: to go on, --set train.kclips={more:g}")
            self._save()
            return
        intervals = (config.log_kclips, config.sample_kclips, config.checkpoint_kclips)
        logs, samples, checkpoints = (Interval(kclips, self.clips) for kclips in intervals)
        stats = Stats()
        with Stopper(self.group) as stopper, self._monitor() as monitor, closing(self._batches()) as batches:
            while self.clips < end and not stopper.agreed():
                start = time.perf_counter()
                batch = next(batches)
                loaded = time.perf_counter()
                stats.add(self.training(self.step, batch, clips_seen=self.clips))
                stats.add({"seconds/data": loaded - start, "seconds/step": time.perf_counter() - start})
                self.step, self.clips = self.step + 1, self.clips + config.batch_size
                monitor.advance(self.clips)
                if logs.passed(self.clips) or self.clips >= end:
                    self._log(monitor, stats)
                if samples.passed(self.clips) and self.accelerator.is_main_process:
                    self._sample()
                if checkpoints.passed(self.clips) or self.clips >= end:
                    self._save()
        if self.clips < end:
            if not self._save():
                raise InrvidError(f"stopped at {self.clips} clips, not saved: {self._not_finite}")
            raise Interrupted(stopper.signal)

    def _log(self, monitor: Monitor, stats: Stats) -> None:
        """Raises Diverged if a loss is not finite and the recipe wants more than a warning."""
        values = stats.means(self.accelerator)
        if self.accelerator.device.type == "cuda":
            values["memory/gib"] = torch.cuda.memory_reserved() / 2**30
        monitor.log(self.step, values)
        self.health.observe(values)
        if self.health.diverged(values):
            self._diverged()

    def _diverged(self) -> None:
        policy = self.recipe.train.on_divergence
        what = f"a loss is not finite at {self.clips} clips"
        if policy == "stop":
            raise InrvidError(
                f"{what}: stopped (train.on_divergence). Try a smaller optim.*.lr, or a larger loss.r1_gamma"
            )
        if policy == "rollback":
            self._say(f"warning: {what}: going back to the last checkpoint, with another draw")
            raise Diverged
        self._say(f"warning: {what}; train.on_divergence=rollback would go back to the last checkpoint")

    def _roll_back(self) -> None:
        checkpoint = newest_intact(self.run_dir / "checkpoints", self._say)
        rollbacks = self.rollbacks + 1
        if checkpoint is None or rollbacks > MOST_ROLLBACKS:
            why = "there is no checkpoint yet" if checkpoint is None else f"after {MOST_ROLLBACKS} rollbacks"
            raise InrvidError(f"training diverged, {why}: try a smaller optim.*.lr, or a larger loss.r1_gamma")
        self._load(checkpoint)
        self._draw_anew(max(rollbacks, self.rollbacks + 1))

    def _resume(self, candidates: Sequence[Path]) -> None:
        """Go on from the first that can be loaded: an intact one may still be of another version or model."""
        problems: list[str] = []
        for checkpoint in candidates:
            try:
                self._load(checkpoint)
            except InrvidError as error:
                problems.append(str(error))
                continue
            for problem in problems:
                self._say(f"{problem.splitlines()[0]}: it is not used; {checkpoint} is")
            return
        raise InrvidError(problems[0])

    def _load(self, checkpoint: Path) -> None:
        """Go on from a checkpoint; those of this run that are newer are set aside, not overwritten."""
        manifest = load_checkpoint(checkpoint, self.training)
        self.step, self.clips = manifest.step, manifest.clips
        self._draw_anew(manifest.rollbacks)
        own = self.run_dir / "checkpoints"
        is_own = checkpoint.resolve().parent == own.resolve()
        self._saved = (self.step, self.rollbacks) if is_own else None
        if manifest.data != self.dataset.fingerprint:
            self._say(f"warning: {checkpoint} was trained on other data, or other settings of them (data.*)")
        if self.accelerator.is_main_process:
            aside = set_aside(own, self.clips if is_own else -1, self.run_dir / "metrics.jsonl")
            if aside is not None:
                self._say(f"newer checkpoints are kept in {aside}: delete it when they are of no use")

    def _draw_anew(self, rollbacks: int) -> None:
        """Each rollback has draws of its own."""
        self.rollbacks = rollbacks
        self.training.seed = self.recipe.seed + rollbacks * ROLLBACK_STRIDE

    def _monitor(self) -> Monitor:
        main = self.accelerator.is_main_process
        console = self.console if main else Console(quiet=True)
        return Monitor(
            self.run_dir if main else None, self.recipe, clips=self.clips, console=console, accelerator=self.accelerator
        )

    def _batches(self) -> Generator[list[Batch], None, None]:
        """The micro-batches of each step, on the device. A loader worker that dies is replaced."""
        deaths = 0
        while True:
            try:
                for batch in self._loader():
                    yield self._on_device(batch)
                    deaths = 0
            except (RuntimeError, OSError) as error:
                if (trouble := loader_trouble(error)) is not None:
                    raise InrvidError(trouble) from None
                deaths += 1
                if "DataLoader worker" not in str(error) or deaths > MOST_DEATHS:
                    raise
                self._say(f"warning: a loader worker died and is replaced ({str(error).splitlines()[0]})")

    def _loader(self) -> Iterator[dict[str, torch.Tensor]]:
        return loader(
            Clips(self.dataset, self.training.sampler, self.training.seed),
            list(itertools.chain(*self.samples)),
            start_step=self.step,
            workers=self.recipe.data.workers,
            num_processes=self.accelerator.num_processes,
            pin_memory=self.accelerator.device.type == "cuda",
        )

    def _on_device(self, batch: dict[str, torch.Tensor]) -> list[Batch]:
        device, size = self.accelerator.device, len(self.samples[0])
        frames, t, label = (batch[key].to(device, non_blocking=True) for key in ("frames", "t", "label"))
        label = label if self.recipe.generator.label_dim else label[:, :0]
        parts = zip(frames.split(size), t.split(size), label.split(size), self.samples, strict=True)
        return [Batch(f.float() / 127.5 - 1, times, classes, own) for f, times, classes, own in parts]

    def _sample(self) -> None:
        write_samples(self.generator, self.run_dir / "samples", f"clips-{self.clips:012d}", count=self._shown)

    @property
    def _shown(self) -> int:
        return self.recipe.train.sample_videos

    def _save(self) -> bool:
        """Whether the state was worth saving."""
        self.group.wait()  # for samples that the main process may be drawing
        self.training.prepare_to_save()
        finite = is_finite(self.training)
        if self.accelerator.is_main_process:
            if finite:
                self._write_checkpoint()
            else:
                self._say(f"warning: weights are not finite at {self.clips} clips: no checkpoint is written")
        self.group.wait()  # the main process may score, too
        return finite

    @property
    def _not_finite(self) -> str:
        newest = newest_intact(self.run_dir / "checkpoints")
        kept = f"the last checkpoint with finite ones is {newest}" if newest else "there is no checkpoint"
        return (
            f"weights are not finite, {kept}; try a smaller optim.*.lr, a larger loss.r1_gamma, or "
            "train.on_divergence=rollback"
        )

    def _write_checkpoint(self) -> None:
        folder, config = self.run_dir / "checkpoints", self.recipe.train
        written = None
        if self._saved != (self.step, self.rollbacks):  # else it is there already, just as it would be written
            written = save_checkpoint(
                folder, self.training, step=self.step, clips=self.clips, rollbacks=self.rollbacks,
                data=self.dataset.fingerprint, scores=self._scores_of_checkpoint(),
            )  # fmt: skip
            self._saved = (self.step, self.rollbacks)
        keep_every = None if config.keep_kclips is None else round(config.keep_kclips * 1000)
        prune(folder, keep_last=config.keep_last, keep_every=keep_every, keep_best=config.keep_best, written=written)
        self.generator.save_pretrained(self.run_dir / "model", **self._provenance)

    def _scores_of_checkpoint(self) -> Scores:
        if not self.recipe.train.keep_best:
            return {}
        try:
            return self._scorer(self.generator)
        except InrvidError as error:
            self._say(f"warning: the checkpoint of {self.clips} clips has no scores: {error}")
            return {}

    @property
    def _provenance(self) -> dict[str, Any]:
        """What is saved with a model: where it comes from."""
        return {
            "recipe": self.recipe.to_dict(),
            "clips": self.clips,
            "data_fingerprint": self.dataset.fingerprint,
        }

    def _publish(self, scores: Scores) -> None:
        """Push the model to `hub.repo_id`, from the main process."""
        hub = self.recipe.hub
        if hub.repo_id is None or not self.accelerator.is_main_process:
            return
        try:
            commit = self.generator.push_to_hub(hub.repo_id, private=hub.private, scores=scores, **self._provenance)
        except InrvidError as error:
            raise InrvidError(
                f"{error}\n  the model is in {self.run_dir / 'model'}; the same command publishes it"
            ) from None
        self._say(f"published: {commit}")

    def _check_loader(self) -> None:
        """Refuse to start what the machine's limits would end."""
        workers = worker_count(self.dataset, self.recipe.data.workers, self.accelerator.num_processes)
        check_open_files(workers)
        height, width = sides(self.recipe.data.resolution)
        frames = self.recipe.discriminator.frames * height * width * 3
        check_shared_memory(sum(len(part) for part in self.samples) * frames, workers)
        check_memory("train.batch_size", 2 * 4 * len(self.samples[0]) * frames)  # real and generated ones, at least

    def _check_clips(self) -> None:
        """Refuse clips that would not fit into memory: two of them as numbers, and the grid of samples."""
        height, width = sides(self.recipe.data.resolution)
        clip = self.recipe.generator.clip_length * height * width * 3
        check_memory("generator.resolution, generator.clip_length", 2 * 4 * clip)
        check_memory("train.sample_videos", 2 * self.recipe.train.sample_videos * clip)

    def _check_space(self) -> None:
        """Refuse to start what cannot save: room for the checkpoints that are kept at once, and one being written."""
        if not self.accelerator.is_main_process:
            return
        there = len(checkpoints(self.run_dir / "checkpoints"))
        needed = max(1, self.recipe.train.keep_last + 1 - there) * bytes_needed(self.training)
        free = shutil.disk_usage(self.run_dir).free
        if free < needed:
            raise InrvidError(
                f"{self.run_dir}: checkpoints need {needed / 2**20:.0f} MiB, {free / 2**20:.0f} MiB are free: "
                "make room, or give a --run-dir on another disk"
            )

    def _score(self) -> Scores:
        """Score the result beside the untrained generator, on the main process."""
        if not self.recipe.eval.metrics or not self.accelerator.is_main_process:
            return {}
        scorer = self._scorer
        device = self.accelerator.device
        untrained = build_generator(self.recipe.generator, seed=self.recipe.seed).eval().to(device)
        try:
            before, after = scorer(untrained), scorer(self.generator)
        except InrvidError as error:
            raise InrvidError(
                f"eval: {error}\n  training is complete, the model is in {self.run_dir / 'model'}; it has no scores"
            ) from None
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
                self.console.print(printable(line), markup=False, highlight=False, soft_wrap=True)


def _accelerator(recipe: Recipe, cpu: bool) -> Accelerator:
    """Raises InrvidError for surroundings in which it cannot be made."""
    refuse_sharding()
    trackers = checked(recipe.train.trackers)
    try:
        # Without CUDA, the CPU: motion codes need float64, which Apple's devices lack.
        return Accelerator(cpu=cpu or not torch.cuda.is_available(), log_with=trackers or None)
    except (ValueError, KeyError) as error:
        raise InrvidError(f"accelerate cannot start: {error}: see its variables, ACCELERATE_…") from error


def _millions(module: torch.nn.Module) -> str:
    return f"{sum(p.numel() for p in module.parameters()) / 1e6:.2f} M"
