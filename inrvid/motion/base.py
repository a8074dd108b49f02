"""Motion parametrizations: a trunk shared by the whole video, and a head for each place that takes motion in.

The trunk turns the video's motion noise into a *state* at times t; each head turns (state, w) into a code of
the width that its place in the backbone asks for. Any motion thereby goes with any backbone.
"""

from __future__ import annotations

import abc
from typing import ClassVar, Generic, NamedTuple, TypeAlias, TypeVar

from torch import Tensor, nn

from ..config import PartConfig
from ..errors import InrvidError
from ..random import Draws
from .noise import NoiseSequence

MotionState: TypeAlias = object
"""What a trunk hands to its own heads, to those who carry it and do not look into it."""
Noise = TypeVar("Noise", bound="Tensor | NoiseSequence")
State = TypeVar("State")


class Span(NamedTuple):
    """Times that L noises of an explicit sequence serve: start ≤ t < distance·(L − kept), in frames."""

    start: float
    distance: float
    kept: int


class MotionHead(nn.Module, abc.ABC, Generic[State]):
    """(state, w) → motion code `[B, T, width]`. `width` may be 0 (no motion at all)."""

    width: int

    @abc.abstractmethod
    def forward(self, state: State, w: Tensor) -> Tensor:
        """`state` as the trunk gave it, w `[B, w_dim]` of the layer that takes the code in."""


def code_of(head: MotionHead[State], state: State, w: Tensor) -> Tensor:
    """What a head gives, `[B, T, width]`; for backbones.

    Raises:
        InrvidError: it is of another shape.
    """
    code = head(state, w)
    if code.ndim != 3 or code.shape[2] != head.width:
        raise InrvidError(
            f"{type(head).__name__} gives codes of the shape {list(code.shape)}: expected [B, T, width], of width "
            f"{head.width}"
        )
    return code


class Motion(nn.Module, abc.ABC, Generic[Noise, State]):
    """The trunk, of the motion noise that it draws and the state that it makes of it.

    Constructed as `Class(config, z_dim=…, label_dim=…, clip_length=…)`.
    """

    Config: ClassVar[type[PartConfig]]

    def __init__(self, config: PartConfig, *, z_dim: int, label_dim: int, clip_length: int):
        super().__init__()
        self.config, self.z_dim, self.label_dim, self.clip_length = config, z_dim, label_dim, clip_length

    @property
    def span(self) -> Span | None:
        """What a sequence of noises serves; None: the noise is no sequence, and any time does."""
        return None

    @abc.abstractmethod
    def sample_noise(self, draws: Draws) -> Noise:
        """Motion noise of `len(draws)` videos, on the CPU: `[B, …]`, or a sequence without an end."""

    @abc.abstractmethod
    def head(self, width: int, w_dim: int) -> MotionHead[State]:
        """A new head that gives codes of `width` (or of width 0, if this motion has none)."""

    @abc.abstractmethod
    def forward(self, noise: Noise, label: Tensor, t: Tensor) -> State:
        """State of the videos with this noise and label `[B, classes]` at times t `[B, T]`, in frames."""
