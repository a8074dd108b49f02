"""Augmentations of what the discriminator sees."""

from __future__ import annotations

import abc
from collections.abc import Callable
from typing import ClassVar

import torch
from torch import Tensor, nn

from ..config import PartConfig
from ..discriminators.base import Augmentation, Tensors
from ..random import Draws


class Augment(nn.Module, abc.ABC):
    """Changes what the discriminator sees of real and generated clips alike.

    Constructed as `Class(config)`; a subclass provides `sample`.
    """

    Config: ClassVar[type[PartConfig]]

    def __init__(self, config: PartConfig):
        super().__init__()
        self.config = config

    @abc.abstractmethod
    def sample(self, draws: Draws, device: torch.device) -> Augmentation:
        """One draw for each of `len(draws)` clips, the same for all frames of a clip, as a function of frames."""

    def observe(self, real: Tensors, *, clips: int, total: Callable[[Tensor], Tensor]) -> None:
        """Called with the logits of each step's real clips. What adapts, adapts here; by default, nothing does.

        Args:
            clips: number of clips of all processes in this step.
            total: sums a tensor over all processes.
        """

    def even_out(self, mean: Callable[[Tensor], Tensor]) -> None:
        """Called before a checkpoint: what each process has counted for itself becomes the mean over processes."""

    def report(self) -> dict[str, Tensor]:
        """Values to log, by name."""
        return {}
