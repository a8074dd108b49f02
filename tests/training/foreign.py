"""Parts of another package, which training knows nothing of: written as a user would write them.

The test copies this file, and makes it a package by its entry points.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from inrvid.config import PartConfig
from inrvid.discriminators.dual import DualDiscriminator
from inrvid.generators.inr_gan import InrGan
from inrvid.layers.parameters import ParameterGroup
from inrvid.losses.base import AdversarialLoss, Phase, Turn
from inrvid.losses.logistic import sum_of_means
from inrvid.losses.penalty import r1_norms


class Straight(nn.Module):
    """w is z, at unit length: no mapping network, no mean to truncate to."""

    def forward(self, z: Tensor, label: Tensor, truncation: float = 1.0) -> Tensor:
        return truncation * nn.functional.normalize(z) * z.shape[1] ** 0.5


class Unmapped(InrGan):
    @staticmethod
    def make_mapping(config) -> nn.Module:
        return Straight()


class HalfFrozen(DualDiscriminator):
    """The first layer of the image discriminator is frozen; the motion discriminator learns at a tenth of the rate."""

    def __init__(self, config):
        super().__init__(config)
        self.image.rgb.requires_grad_(False)

    def parameter_groups(self) -> Iterator[ParameterGroup]:
        yield ParameterGroup(self.image.parameters())
        yield ParameterGroup(self.motion.parameters(), 0.1)


class ThreePhases(AdversarialLoss):
    """A relativistic loss of real and generated logits together, with penalties at both kinds of clips."""

    Config = PartConfig

    def __init__(self, config: PartConfig):
        self.config = config

    def phases(self) -> Iterator[Phase]:
        yield Phase("G", "generator", ("fake", "real"), lambda turn: self.relative(turn, "fake", "real"))
        yield Phase("D", "discriminator", ("fake", "real"), lambda turn: self.relative(turn, "real", "fake"))
        for kind in ("real", "fake"):
            yield Phase(f"R {kind}", "discriminator", (kind,), self.penalty(kind), interval=2, weight=2)

    def relative(self, turn: Turn, liked, other) -> Tensor:
        """softplus of how much more the other's logits are."""
        better, worse = turn.logits(liked, other)
        return sum_of_means({head: worse[head] - better[head] for head in better}, sign=1)

    def penalty(self, kind):
        def at(turn: Turn) -> Tensor:
            norms = r1_norms(turn.discriminator, *turn.clips(kind), turn.augmentation(kind))
            return 0.05 * torch.stack([value.mean() for value in norms.values()]).sum()

        return at
