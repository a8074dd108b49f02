"""What a phase looks at: an implementation of `losses.base.Turn`, made on demand."""

from __future__ import annotations

import contextlib
import itertools
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ..discriminators.base import Augmentation, ClipBatch, Discriminator, Tensors
from ..generators.base import VideoGenerator
from ..generators.pieces import for_discriminator
from ..latents import Latents
from ..layers.noise import instance_noise
from ..losses.base import ClipKind, Phase
from ..random import Draws
from ..transfer import to_device

if TYPE_CHECKING:
    from .step import Batch, TrainingStep


class TurnOf:
    """One micro-batch of one phase. All its draws are functions of (seed, phase, purpose, step, sample)."""

    def __init__(self, training: TrainingStep, phase: Phase, step: int, batch: Batch):
        self.training, self.phase, self.batch = training, phase, batch
        self.judged: dict[ClipKind, Tensors] = {}
        """Logits by kind: those that were asked for, or that the loss itself computed."""
        self.step = step
        self._latents: Latents | None = None
        self._clips: dict[ClipKind, ClipBatch] = {}
        self._augmentations: dict[ClipKind, Augmentation] = {}
        self._seeds: dict[ClipKind, list[int]] = {}

    @property
    def generator(self) -> VideoGenerator:
        return self.training.G

    @property
    def discriminator(self) -> Discriminator:
        return self.training.D

    @property
    def clips_seen(self) -> int:
        return self.training.clips_seen

    def draws(self, purpose: str) -> Draws:
        return Draws.of_batch(self.training.seed, f"{self.phase.name} {purpose}", self.step, self.batch.samples)

    def latents(self) -> Latents:
        if self._latents is None:
            self._latents = self.generator.draw_latents(self.draws, len(self.batch.samples), self.batch.label)
        return self._latents

    def clips(self, kind: ClipKind) -> ClipBatch:
        if kind not in self._clips:
            own = (self.batch.frames, self.batch.t, self.batch.label)
            self._clips[kind] = own if kind == "real" else self._generated()
        return self._clips[kind]

    def augmentation(self, kind: ClipKind) -> Augmentation:
        if kind not in self._augmentations:
            purpose = f"{kind} augment" if len(self.phase.sees) > 1 else "augment"
            device = self.batch.t.device
            self._augmentations[kind] = self.training.augment.sample(self.draws(purpose), device)
        return self._augmentations[kind]

    def logits(self, *kinds: ClipKind) -> tuple[Tensors, ...]:
        missing = [kind for kind in kinds if kind not in self.judged]
        if len(missing) == 2 and self.discriminator.joins:
            first, second = map(self._augmented, missing)
            with self.noise(*missing):
                found = self.discriminator.both(first, second, self.training.run_D)
            self.judged.update(zip(missing, found, strict=True))
        for kind in missing:
            if kind not in self.judged:
                self.judged[kind] = self.judge(kind, self._augmented(kind)[0])
        return tuple(self.judged[kind] for kind in kinds)

    def judge(self, kind: ClipKind, frames: Tensor | Tensors) -> Tensors:
        _, t, label = self.clips(kind)
        with self.noise(kind):
            return self.training.run_D(frames, t, label)

    def noise(self, *kinds: ClipKind) -> AbstractContextManager[None]:
        return instance_noise(self.discriminator, lambda: list(itertools.chain(*map(self._noise_seeds, kinds))))

    def gathered(self, rows: Tensor) -> Tensor:
        return self.training.accelerator.gather(rows.detach())

    def _noise_seeds(self, kind: ClipKind) -> list[int]:
        if kind not in self._seeds:
            draws = self.draws(f"{kind} noise")
            self._seeds[kind] = draws.integers(torch.full((len(draws),), 2**62)).tolist()
        return self._seeds[kind]

    def _augmented(self, kind: ClipKind) -> ClipBatch:
        frames, t, label = self.clips(kind)
        return self.augmentation(kind)(frames), t, label

    def _generated(self) -> ClipBatch:
        training, label = self.training, self.batch.label
        with contextlib.ExitStack() as around:
            if self.phase.moves != "generator":
                around.enter_context(torch.no_grad())
                around.enter_context(for_discriminator())
            t = self._times()
            return training.run_G(self.latents(), t), t, label

    def _times(self) -> Tensor:
        """Times in videos that are each as long as a training video drawn uniformly."""
        draws, lengths = self.draws("times"), self.training.lengths
        own = lengths[draws.integers(torch.full((len(draws),), len(lengths)))]
        return to_device(self.training.sampler.generated(draws, own), self.batch.t.device)
