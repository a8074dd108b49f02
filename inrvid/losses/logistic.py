"""Non-saturating logistic loss with lazy R1 (Mescheder et al., ICML 2018; StyleGAN2, CVPR 2020)."""

from __future__ import annotations

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor

from ..config import Count, NonNegative, PartConfig
from ..discriminators.base import Augmentation, Discriminator, Tensors
from ..layers.precision import at_least_float32
from .base import AdversarialLoss, Phase, Turn
from .penalty import r1_norms


class LogisticLoss(AdversarialLoss):
    """Non-saturating logistic loss, with lazy R1 at the points that the discriminator chooses.

        L_G = E softplus(−D(G(z)))
        L_D = E softplus(D(G(z))) + E softplus(−D(x))
        R1  = γ/2·E ‖∇D(x)‖²,   every `r1_interval` steps, times r1_interval

    The losses of several heads are summed with weight 1.
    """

    source = "StyleGAN2 (CVPR 2020)"

    class Config(PartConfig):
        r1_gamma: NonNegative = Field(1.0, description="γ of the R1 penalty, γ/2·‖∇‖², for each head")
        r1_interval: Count = Field(
            16, description="steps between two penalties, each of which is multiplied by this number"
        )

    def __init__(self, config: Config):
        self.config = config

    def phases(self) -> Iterator[Phase]:
        yield Phase("G", "generator", ("fake",), lambda turn: self.generator(*turn.logits("fake")))
        yield Phase("D", "discriminator", ("fake", "real"), self._of_both)
        if self.config.r1_gamma > 0:
            every = self.config.r1_interval
            yield Phase("penalty", "discriminator", ("real",), self._at_real_clips, interval=every, weight=every)

    def _of_both(self, turn: Turn) -> Tensor:
        fake, real = turn.logits("fake", "real")
        return self.discriminator(real, fake)

    def _at_real_clips(self, turn: Turn) -> Tensor:
        with turn.noise("real"):
            return self.penalty(turn.discriminator, *turn.clips("real"), turn.augmentation("real"))

    def generator(self, fake: Tensors) -> Tensor:
        """Loss of the generator, given the logits of its clips; each head is averaged over its own logits."""
        return sum_of_means(fake, sign=-1)

    def discriminator(self, real: Tensors, fake: Tensors) -> Tensor:
        """Loss of the discriminator, without its penalty."""
        return sum_of_means(fake, sign=1) + sum_of_means(real, sign=-1)

    def penalty(self, D: Discriminator, frames: Tensor, t: Tensor, label: Tensor, augment: Augmentation) -> Tensor:
        """R1: γ/2 · Σ over heads of the mean of ‖∂logit/∂x‖², x a row of its penalty points (by default real
        frames)."""
        norms = r1_norms(D, frames, t, label, augment).values()
        return self.config.r1_gamma / 2 * torch.stack([of_head.mean() for of_head in norms]).sum()


def sum_of_means(logits: Tensors, *, sign: int) -> Tensor:
    return torch.stack([F.softplus(sign * at_least_float32(value)).mean() for value in logits.values()]).sum()
