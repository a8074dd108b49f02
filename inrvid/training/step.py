"""One training step: G, then D on fresh latents, now and then D's penalty, then the moving average.

All randomness of a step is a function of (seed, step, global sample index); nothing waits for the device.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import torch
from accelerate import Accelerator
from torch import Tensor

from ..augment.base import Augment
from ..discriminators.base import Augmentation, Discriminator, Tensors
from ..errors import InrvidError
from ..generators.base import VideoGenerator
from ..losses.base import AdversarialLoss
from ..precision import choose_algorithms
from ..random import Draws
from ..recipe import Recipe
from ..registry import registry
from ..time_samplers.base import TimeSampler
from ..transfer import sent
from .ema import MovingAverage
from .optim import Gradients, adam

COMPILES = "2.11"
"""The oldest PyTorch that was found to compile the networks rightly: 2.4 fails, 2.6 loses gradients without a word."""


@dataclasses.dataclass
class Batch:
    """Real clips on the device: frames `[B, T, 3, H, W]` in [−1, 1], t `[B, T]`, label `[B, classes]`."""

    frames: Tensor
    t: Tensor
    label: Tensor
    samples: Sequence[int]
    """Global sample indices."""


class TrainingStep:
    """The networks, their optimizers, and how one batch changes them.

    Args:
        lengths: int64 `[videos]`, frames of each training video: each generated clip is of a video as long as one of
            them, each as likely.

    Raises:
        InrvidError: `train.compile` with a PyTorch that would get the gradients wrong.
    """

    def __init__(self, recipe: Recipe, G: VideoGenerator, D: Discriminator, accelerator: Accelerator, lengths: Tensor):
        self.recipe, self.accelerator, self.lengths = recipe, accelerator, lengths
        choose_algorithms()
        self.seed = recipe.seed
        """Of all draws; another one after a rollback."""
        self.G, self.D = G.to(accelerator.device).train(), D.to(accelerator.device).train()
        self.ema = MovingAverage(self.G, recipe.train)
        if recipe.train.compile and torch.__version__ < COMPILES:
            raise InrvidError(
                f"train.compile: PyTorch {torch.__version__} compiles these networks to wrong gradients: it takes "
                f"{COMPILES} or newer"
            )
        # A compiled graph drops second derivatives without a word: the penalty always calls D itself.
        self._run_G, self._run_D = (torch.compile(m) if recipe.train.compile else m for m in (self.G, self.D))
        self.augment: Augment = registry("augments").build(recipe.augment).to(accelerator.device)
        self.sampler: TimeSampler = registry("time_samplers").build(recipe.time_sampler)
        self.loss: AdversarialLoss = registry("losses").build(recipe.loss)
        self.optimizers = {
            "generator": adam(self.G.parameters(), recipe.optim.generator),
            "discriminator": adam(self.D.parameters(), recipe.optim.discriminator),
        }
        self._judges = [p for p in self.D.parameters() if p.requires_grad]  # what is frozen stays so
        self._gradients = {"generator": Gradients(self.G, accelerator), "discriminator": Gradients(self.D, accelerator)}

    def __call__(self, step: int, batches: Sequence[Batch], *, clips_seen: int) -> dict[str, Tensor]:
        """Train on one batch, given as micro-batches of one size; returns what is worth logging, on the device."""
        log = self._train_generator(step, batches)
        log |= self._train_discriminator(step, batches)
        if self.loss.penalty_interval and step % self.loss.penalty_interval == 0:
            log |= self._penalise(step, batches)
        self.ema.update(self.G, clips=self.recipe.train.batch_size, clips_seen=clips_seen)
        return log

    def prepare_to_save(self) -> None:
        """To be called by all processes before one of them saves."""
        self.augment.even_out(self._mean)

    def _train_generator(self, step: int, batches: Sequence[Batch]) -> dict[str, Tensor]:
        self._let_judges_learn(False)
        losses = []
        with self.G.mapping.one_average(self._mean):
            for batch in batches:
                frames, t = self._generate("G", step, batch)
                logits = self._run_D(self._augmentation("G", step, batch)(frames), t, batch.label)
                losses.append(self._accumulate(self.loss.generator(logits), len(batches)))
        self._let_judges_learn(True)
        return {"loss/G": torch.stack(losses), "nonfinite/G": self._update("generator")}

    def _train_discriminator(self, step: int, batches: Sequence[Batch]) -> dict[str, Tensor]:
        losses, reals, fakes = [], [], []
        with self.G.mapping.one_average(self._mean):
            for batch in batches:
                with torch.no_grad():
                    frames, t = self._generate("D", step, batch)
                fake, real = self.D.both(
                    (self._augmentation("D fake", step, batch)(frames), t, batch.label),
                    (self._augmentation("D real", step, batch)(batch.frames), batch.t, batch.label),
                    self._run_D,
                )
                losses.append(self._accumulate(self.loss.discriminator(real, fake), len(batches)))
                reals.append(real)
                fakes.append(fake)
        real, fake = _joined(reals), _joined(fakes)
        self.augment.observe(real, clips=self.recipe.train.batch_size, total=self._total)
        signs = {f"sign/real_{head}": value.sign() for head, value in real.items()}
        signs |= {f"sign/fake_{head}": value.sign() for head, value in fake.items()}
        log = {"loss/D": torch.stack(losses), "nonfinite/D": self._update("discriminator")}
        return log | self.augment.report() | signs

    def _penalise(self, step: int, batches: Sequence[Batch]) -> dict[str, Tensor]:
        penalties = []
        for batch in batches:
            augment = self._augmentation("penalty", step, batch)
            penalty = self.loss.penalty(self.D, batch.frames, batch.t, batch.label, augment)
            penalties.append(penalty.detach())
            self._accumulate(penalty * self.loss.penalty_interval, len(batches))
        return {"loss/penalty": torch.stack(penalties), "nonfinite/penalty": self._update("discriminator")}

    def _generate(self, phase: str, step: int, batch: Batch) -> tuple[Tensor, Tensor]:
        latents = self.G.draw_latents(
            lambda purpose: self._draws(f"{phase} {purpose}", step, batch), len(batch.samples), batch.label
        )
        draws = self._draws(f"{phase} times", step, batch)
        lengths = self.lengths[draws.integers(torch.full((len(draws),), len(self.lengths)))]
        t = sent(self.sampler.generated(draws, lengths), batch.t.device)
        return self._run_G(latents, t), t

    def _augmentation(self, phase: str, step: int, batch: Batch) -> Augmentation:
        return self.augment.sample(self._draws(f"{phase} augment", step, batch), batch.t.device)

    def _total(self, values: Tensor) -> Tensor:
        return self.accelerator.reduce(values, "sum")

    def _mean(self, values: Tensor) -> Tensor:
        return self.accelerator.reduce(values, "mean")

    def _draws(self, purpose: str, step: int, batch: Batch) -> Draws:
        return Draws.of_batch(self.seed, purpose, step, batch.samples)

    def _let_judges_learn(self, learns: bool) -> None:
        for parameter in self._judges:
            parameter.requires_grad_(learns)

    @staticmethod
    def _accumulate(loss: Tensor, parts: int) -> Tensor:
        (loss / parts).backward()
        return loss.detach()

    def _update(self, name: str) -> Tensor:
        wrong = self._gradients[name].settle()
        self.optimizers[name].step()
        self.optimizers[name].zero_grad(set_to_none=True)
        return wrong


def _joined(logits: list[Tensors]) -> Tensors:
    return {head: torch.cat([part[head].detach() for part in logits]) for head in logits[0]}
