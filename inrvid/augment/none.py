"""No augmentation."""

from __future__ import annotations

import torch

from ..discriminators.base import Augmentation
from ..random import Draws
from .base import Augment
from .configs import NoAugmentConfig


class NoAugment(Augment):
    Config = NoAugmentConfig

    def sample(self, draws: Draws, device: torch.device) -> Augmentation:
        return lambda frames: frames
