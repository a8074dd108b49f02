"""Losses of a generator and a discriminator."""

from __future__ import annotations

import abc
from typing import ClassVar

from torch import Tensor

from ..config import PartConfig
from ..discriminators.base import Augmentation, Discriminator, Tensors


class AdversarialLoss(abc.ABC):
    """Constructed as `Class(config)`. Logits are mappings head → tensor; each head is averaged over its own."""

    Config: ClassVar[type[PartConfig]]
    penalty_interval: int
    """Steps between two gradient penalties; 0: never."""

    @abc.abstractmethod
    def generator(self, fake: Tensors) -> Tensor:
        """Loss of the generator, given the logits of its clips."""

    @abc.abstractmethod
    def discriminator(self, real: Tensors, fake: Tensors) -> Tensor:
        """Loss of the discriminator, without its penalty."""

    @abc.abstractmethod
    def penalty(self, D: Discriminator, frames: Tensor, t: Tensor, label: Tensor, augment: Augmentation) -> Tensor:
        """Gradient penalty at real clips, not multiplied by the interval."""
