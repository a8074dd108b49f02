"""The hinge loss (Lim & Ye 2017; Projected GAN: Sauer et al., NeurIPS 2021), of any discriminator."""

from __future__ import annotations

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor

from inrvid.plugins import (
    AdversarialLoss,
    Count,
    NonNegative,
    PartConfig,
    Phase,
    Tensors,
    Turn,
    at_least_float32,
    r1_norms,
)


class HingeLoss(AdversarialLoss):
    """Hinge loss: a discriminator is pushed no further than to ±1; no penalty unless one is asked for.

    −D(G(z)) for G; max(0, 1 + D(G(z))) + max(0, 1 − D(x)) for D; each head is averaged over its own logits (of places,
    of frames), and heads are summed with weight 1.
    """

    source = "Projected GAN (NeurIPS 2021) §3"

    class Config(PartConfig):
        penalty_gamma: NonNegative = Field(0.0, description="γ of an R1 penalty, γ/2·‖∇‖², for each head; 0: none")
        penalty_interval: Count = Field(16, description="steps between two penalties; each is weighted by this number")

    def __init__(self, config: Config):
        self.config = config

    def phases(self) -> Iterator[Phase]:
        yield Phase("G", "generator", ("fake",), lambda turn: -sum_of_means(*turn.logits("fake")))
        yield Phase("D", "discriminator", ("fake", "real"), self._of_both)
        if self.config.penalty_gamma > 0:
            every = self.config.penalty_interval
            yield Phase("penalty", "discriminator", ("real",), self._penalty, interval=every, weight=every)

    def _of_both(self, turn: Turn) -> Tensor:
        fake, real = turn.logits("fake", "real")
        return sum_of_means({head: F.relu(1 + at_least_float32(x)) for head, x in fake.items()}) + sum_of_means(
            {head: F.relu(1 - at_least_float32(x)) for head, x in real.items()}
        )

    def _penalty(self, turn: Turn) -> Tensor:
        with turn.noise("real"):
            norms = r1_norms(turn.discriminator, *turn.clips("real"), turn.augmentation("real"))
        return self.config.penalty_gamma / 2 * sum_of_means(norms)


def sum_of_means(values: Tensors) -> Tensor:
    return torch.stack([at_least_float32(value).mean() for value in values.values()]).sum()
