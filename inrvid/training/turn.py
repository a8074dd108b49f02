"""What a phase looks at: `losses.base.Turn`, made as it is asked for."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ..discriminators.base import Augmentation, Clips, Discriminator, Tensors
from ..generators.pieces import at_once
from ..losses.base import Kind, Phase
from ..random import Draws
from ..transfer import sent

if TYPE_CHECKING:
    from .step import Batch, TrainingStep


class TurnOf:
    """One micro-batch of one phase. All its draws are functions of (seed, phase, purpose, step, sample)."""

    def __init__(self, training: TrainingStep, phase: Phase, step: int, batch: Batch):
        self.training, self.phase, self.batch = training, phase, batch
        self.judged: dict[Kind, Tensors] = {}
        """Logits by kind, of those that were asked for."""
        self._draws: Callable[[str], Draws] = lambda purpose: Draws.of_batch(
            training.seed, f"{phase.name} {purpose}", step, batch.samples
        )
        self._clips: dict[Kind, Clips] = {}
        self._augmentations: dict[Kind, Augmentation] = {}

    @property
    def discriminator(self) -> Discriminator:
        return self.training.D

    def clips(self, kind: Kind) -> Clips:
        if kind not in self._clips:
            own = (self.batch.frames, self.batch.t, self.batch.label)
            self._clips[kind] = own if kind == "real" else self._generated()
        return self._clips[kind]

    def augmentation(self, kind: Kind) -> Augmentation:
        if kind not in self._augmentations:
            purpose = f"{kind} augment" if len(self.phase.sees) > 1 else "augment"
            device = self.batch.t.device
            self._augmentations[kind] = self.training.augment.sample(self._draws(purpose), device)
        return self._augmentations[kind]

    def logits(self, *kinds: Kind) -> tuple[Tensors, ...]:
        missing = [kind for kind in kinds if kind not in self.judged]
        if len(missing) == 2:
            first, second = map(self._augmented, missing)
            found = self.discriminator.both(first, second, self.training.run_D)
            self.judged.update(zip(missing, found, strict=True))
        for kind in missing if len(missing) == 1 else ():
            self.judged[kind] = self.training.run_D(*self._augmented(kind))
        return tuple(self.judged[kind] for kind in kinds)

    def _augmented(self, kind: Kind) -> Clips:
        frames, t, label = self.clips(kind)
        return self.augmentation(kind)(frames), t, label

    def _generated(self) -> Clips:
        training, label = self.training, self.batch.label
        with contextlib.ExitStack() as around:
            if self.phase.moves != "generator":
                around.enter_context(torch.no_grad())
                around.enter_context(at_once())
            latents = training.G.draw_latents(self._draws, len(self.batch.samples), label)
            t = self._times()
            return training.run_G(latents, t), t, label

    def _times(self) -> Tensor:
        """Of videos as long as one of the training videos, each as likely."""
        draws, lengths = self._draws("times"), self.training.lengths
        own = lengths[draws.integers(torch.full((len(draws),), len(lengths)))]
        return sent(self.training.sampler.generated(draws, own), self.batch.t.device)
