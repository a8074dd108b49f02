"""The training loop: data in, steps, and the moments at which callbacks are called."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from pathlib import Path

import torch
from rich.console import Console

from ..data.base import VideoDataset
from ..data.memory import kept_in_memory
from ..data.open import open_dataset
from ..errors import InrvidError
from ..evaluation.score import Scores, scorer_of
from ..files import write_text
from ..kernels.pages import keep_pages
from ..models.build import build_discriminator, build_generator
from ..models.hub import check_publishing
from ..precision import choose_algorithms, set_tf32
from ..recipe.schema import Recipe
from .batches import batches
from .callbacks.chain import Chain
from .callbacks.checkpoints import Checkpoints, not_finite
from .callbacks.log import Log
from .callbacks.publish import Publish
from .callbacks.samples import Samples
from .callbacks.scored import Scored
from .callbacks.scores import Scoring
from .checkpoint import is_finite
from .checks import check_clips, check_loader, check_space
from .fitting import fit_to_data
from .processes.sharing import shares
from .processes.surroundings import make_accelerator, mixed_precision
from .resuming import Diverged, go_on_from, roll_back
from .run import Run
from .starting import begin_from
from .step import Batch, TrainingStep


class Interrupted(Exception):
    """The run was asked to stop by `signal`; it has saved what it needs to go on."""

    def __init__(self, signal: int):
        super().__init__(signal)
        self.signal = signal


class Trainer(Run):
    """One run of a recipe in a folder.

    Args:
        recipe: resolved; what depends on the data (number of classes, frame rate) is filled in here.
        run_dir: existing folder.
        resume: checkpoint to resume from.
        fallbacks: other checkpoints, in the order in which they are tried if it cannot be loaded.
        cpu: do not use an accelerator.

    Raises:
        InrvidError: the data is missing, unusable, or contradicts the recipe; a callback cannot be built.
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
        super().__init__(run_dir, make_accelerator(recipe.train.trackers, cpu=cpu), console or Console())
        if recipe.hub.repo_id is not None and self.is_main:
            check_publishing(recipe.hub.repo_id, "hub.repo_id")
        if self.accelerator.device.type == "cpu":
            keep_pages()
        dataset = self._open_data(recipe)
        set_tf32(self.recipe.train.precision)
        choose_algorithms()
        check_clips(self.recipe)
        self._choose_callbacks()
        self.dataset = kept_in_memory(dataset)
        self._build()
        if resume:
            go_on_from(self, [resume, *fallbacks])
        elif self.recipe.train.init is not None:
            begin_from(self, self.recipe.train.init)
        check_space(self)
        self._introduce()

    def _open_data(self, recipe: Recipe) -> VideoDataset:
        """Open the training data, and set `self.recipe` to the recipe fitted to them."""
        # One process per machine builds the index, the others find it in the cache.
        with self.group.one_first(self.accelerator.is_local_main_process):
            dataset = open_dataset(recipe.data)
        self.group.agree(
            f"{len(dataset)} videos, {dataset.fingerprint[:12]}",
            "the data",
            "files are changing, or some processes cannot read them: try again; inrvid data verify, on each machine, "
            "says which videos cannot be read",
        )
        self.say(*dataset.summary())
        self.recipe = fit_to_data(recipe, dataset)
        if self.recipe.generator.fps != dataset.fps:
            self.say(
                f"note: generator.fps is {self.recipe.generator.fps:g}, the data has {dataset.fps:g} frames a second: "
                f"videos will be written at the former; to follow the data: --set generator.fps={_exact(dataset.fps)}"
            )
        return dataset

    def _choose_callbacks(self) -> None:
        """Make the library's own callbacks, in the order in which they are called, and the recipe's."""
        scorer = scorer_of(self.recipe, self.accelerator.device, str(self.run_dir)) if self.is_main else None
        scored = None if scorer is None else Scored(scorer)
        self.checkpoints = Checkpoints(scored, lambda run, folder: self.callbacks.on_checkpoint(run, folder))
        self.log = Log()
        own = [self.log, Samples(), self.checkpoints, Scoring(scored, self.log.scores), Publish()]
        self.callbacks = Chain(own, self.recipe.train.callbacks)

    def _build(self) -> None:
        """Make the networks, and choose this process's samples of a batch."""
        config, processes = self.recipe.train, self.accelerator.num_processes
        G = build_generator(self.recipe.generator, seed=self.recipe.seed)
        G.class_names = tuple(self.dataset.classes) if G.label_dim else ()
        D = build_discriminator(self.recipe.discriminator, seed=self.recipe.seed)
        self.samples = shares(config.batch_size, D.group, processes, config.micro_batch)[self.accelerator.process_index]
        check_loader(self.recipe, self.dataset, self.samples, self.sharing_cpus)
        lengths = torch.tensor([self.dataset.length(video) for video in range(len(self.dataset))])
        self.training = TrainingStep(self.recipe, G, D, self.accelerator, lengths)

    def _introduce(self) -> None:
        if (mixed := mixed_precision()) is not None:
            self.say(f"note: {mixed}")
        G, D = _millions(self.training.G), _millions(self.training.D)
        going_on = f"; continuing at {self.clips} clips" if self.step else ""
        self.say(f"generator {G} parameters, discriminator {D}; {self.accelerator.device}{going_on}")

    def run(self) -> Scores:
        """Train to the recipe's end, and publish if it says where; returns the scores of the result.

        Raises:
            Interrupted: after SIGINT, SIGTERM or SIGHUP; the state is saved.
            InrvidError: training diverged and is to stop, or has ended in weights that are not finite; a checkpoint
                cannot be written; the Hub refuses; or a plugin's callback has failed.
            FailedElsewhere: a plugin's callback has failed in another process.
        """
        if self.is_main:
            write_text(self.run_dir / "recipe.yaml", self.recipe.to_yaml())
        self.callbacks.on_start(self)
        self.callbacks.end_if_failed(self)
        while True:
            try:
                self._loop()
                break
            except Diverged as what:
                roll_back(self, str(what))
        if not is_finite(self.training):  # what is scored and published is what is saved
            raise InrvidError(f"at {self.clips} clips: {not_finite(self)}")
        self.callbacks.on_end(self)
        self.callbacks.end_if_failed(self)
        return self.scores

    def _loop(self) -> None:
        """Train to the end, or until a callback asks for it. Raises Diverged, and what `run` raises."""
        if self.clips >= self.end:
            more = 2 * max(self.recipe.train.kclips, self.clips / 1000)
            self.say(f"already at {self.clips} clips: to continue, --set train.kclips={more:g}")
            self._save()
            return
        with self.stopper, self.callbacks.around_steps(self), closing(self._batches()) as batches:
            while self.clips < self.end and not self.stopper.agreed():
                self._step(batches)
            self.stopper.agreed()
            if self.stopper.by_callback:  # this is the end
                self.log.rest(self)
        asked = self.stopper.agreed()  # after the last step, too: all processes stop, or all go on to what follows
        complete = self.clips >= self.end
        saved = complete or self._save()
        self.callbacks.end_if_failed(self)
        if not saved:
            raise InrvidError(f"stopped at {self.clips} clips, not saved: {not_finite(self)}")
        if asked and self.stopper.signal and (not complete or is_finite(self.training)):
            raise Interrupted(self.stopper.signal)

    def _step(self, batches: Iterator[list[Batch]]) -> None:
        start = time.perf_counter()
        batch = next(batches)
        loaded = time.perf_counter()
        values = self.training(self.step, batch, clips_seen=self.clips)
        seconds = {"seconds/data": loaded - start, "seconds/step": time.perf_counter() - start}
        self.step, self.clips, self.saved = self.step + 1, self.clips + self.recipe.train.batch_size, False
        self.callbacks.on_step(self, {**values, **seconds})

    def _batches(self) -> Generator[list[Batch], None, None]:
        return batches(self, self.samples)

    def _save(self) -> bool:
        return self.checkpoints.save(self)


def _millions(module: torch.nn.Module) -> str:
    return f"{sum(p.numel() for p in module.parameters()) / 1e6:.2f} M"


def _exact(rate: float) -> str:
    """A rate that is read as itself: '25', '29.97002997002997'."""
    return f"{rate:g}" if float(f"{rate:g}") == rate else repr(rate)
