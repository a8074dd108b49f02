"""No augmentation."""

from __future__ import annotations

import torch

from ..config import PartConfig
from ..discriminators.base import Augmentation
from ..random import Draws
from .base import Augment


class NoAugment(Augment):
    """Frames as they are."""

    class Config(PartConfig):
        pass

    def sample(self, draws: Draws, device: torch.device) -> Augmentation:
        return lambda frames: frames
