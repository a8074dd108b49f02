"""Motion parametrizations: a trunk shared by the whole video, and a head for each place that takes motion in.

The trunk turns the video's motion noise into a *state* at times t; each head turns (state, w) into a code of
the width that its place in the backbone asks for. Any motion thereby goes with any backbone.
"""

from __future__ import annotations

import abc
from typing import Any, ClassVar

from torch import Tensor, nn

from ..config import PartConfig
from ..random import Draws
from .noise import NoiseSequence


class MotionHead(nn.Module, abc.ABC):
    """(state, w) → motion code `[B, T, width]`. `width` may be 0 (no motion at all)."""

    width: int

    @abc.abstractmethod
    def forward(self, state: Any, w: Tensor) -> Tensor:
        """`state` as the trunk gave it, w `[B, w_dim]` of the layer that takes the code in."""


class Motion(nn.Module, abc.ABC):
    """The trunk.

    Constructed as `Class(config, z_dim=…, label_dim=…, clip_length=…)`.
    """

    Config: ClassVar[type[PartConfig]]

    def __init__(self, config: PartConfig, *, z_dim: int, label_dim: int, clip_length: int):
        super().__init__()
        self.config, self.z_dim, self.label_dim, self.clip_length = config, z_dim, label_dim, clip_length

    @abc.abstractmethod
    def sample_noise(self, draws: Draws) -> Tensor | NoiseSequence:
        """Motion noise of `len(draws)` videos, on the CPU: `[B, …]`, or a sequence without an end."""

    @abc.abstractmethod
    def head(self, width: int, w_dim: int) -> MotionHead:
        """A new head that gives codes of `width` (or of width 0, if this motion has none)."""

    @abc.abstractmethod
    def forward(self, noise: Any, label: Tensor, t: Tensor) -> Any:
        """State of the videos with this noise and label `[B, classes]` at times t `[B, T]`, in frames."""
