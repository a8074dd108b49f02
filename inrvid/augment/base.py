"""Augmentations of what the discriminator sees."""

from __future__ import annotations

import abc
from typing import ClassVar

import torch
from torch import nn

from ..config import PartConfig
from ..discriminators.base import Augmentation
from ..random import Draws


class Augment(nn.Module, abc.ABC):
    """Constructed as `Class(config)`."""

    Config: ClassVar[type[PartConfig]]

    def __init__(self, config: PartConfig):
        super().__init__()
        self.config = config

    @abc.abstractmethod
    def sample(self, draws: Draws, device: torch.device) -> Augmentation:
        """One draw for each of `len(draws)` clips, the same for all frames of a clip, as a function of frames."""
