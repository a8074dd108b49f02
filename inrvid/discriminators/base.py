"""Discriminators: frames and their times → logits of one or several heads.

A discriminator says what its heads look at (`inputs`) and what they think of it (`heads`), so that a loss can
penalise each head at its own input without knowing the head.
"""

from __future__ import annotations

import abc
from collections.abc import Callable
from typing import Any, ClassVar

from torch import Tensor, nn

from .configs import DiscriminatorConfig

Tensors = dict[str, Tensor]
Augmentation = Callable[[Tensor], Tensor]
"""A fixed draw of an augmentation: frames `[B, T, 3, H, W]` → the same shape."""


class Discriminator(nn.Module, abc.ABC):
    """Constructed as `Class(config)`; usually by `inrvid.build_discriminator`."""

    Config: ClassVar[type[DiscriminatorConfig]]

    def __init__(self, config: DiscriminatorConfig):
        super().__init__()
        self._config = config
        self.frames = config.frames
        """Number of frames of a clip that it sees."""
        self.group = config.mbstd_group
        """Number of clips that are judged together: a batch is shared in whole groups."""

    @abc.abstractmethod
    def inputs(self, frames: Tensor, t: Tensor) -> Tensors:
        """frames `[B, frames, 3, H, W]` at times t `[B, frames]` (in frames) → what each head looks at."""

    @abc.abstractmethod
    def heads(self, inputs: Tensors, t: Tensor, label: Tensor) -> Tensors:
        """Logits of each head, `[B]` or `[B, frames]`."""

    def forward(self, frames: Tensor, t: Tensor, label: Tensor) -> Tensors:
        """frames `[B, frames, 3, H, W]` in [−1, 1], t `[B, frames]`, label `[B, classes]` → logits by head."""
        return self.heads(self.inputs(frames, t), t, label)

    def penalty_points(self, frames: Tensor, t: Tensor, augment: Augmentation) -> tuple[Tensors, Tensors]:
        """Where a gradient penalty differentiates: (leaves that require a gradient, inputs computed from them).

        By default each head is penalised at its own input, made of augmented frames.
        """
        points = {head: x.detach().requires_grad_() for head, x in self.inputs(augment(frames), t).items()}
        return points, points

    @property
    def config(self) -> dict[str, Any]:
        """Plain data that rebuilds this discriminator: `build_discriminator(D.config)`."""
        return self._config.model_dump(mode="json")
