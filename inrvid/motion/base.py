"""Motion parametrizations: a trunk shared by the whole video, and a head for each place where motion enters.

The trunk turns the video's motion noise into a *state* at times t; each head turns (state, w) into a code of
the width required at its place in the backbone. Any motion can thus be combined with any backbone.
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
"""A trunk's output for its own heads, as seen by code that passes it on without looking inside."""
Noise = TypeVar("Noise", bound="Tensor | NoiseSequence")
State = TypeVar("State")


class Span(NamedTuple):
    """Times covered by L noises of an explicit sequence: start ≤ t < distance·(L − kept), in frames."""

    start: float
    distance: float
    kept: int


class MotionHead(nn.Module, abc.ABC, Generic[State]):
    """(state, w) → motion code `[B, T, width]`. `width` may be 0 (no motion at all)."""

    width: int

    @abc.abstractmethod
    def forward(self, state: State, w: Tensor) -> Tensor:
        """`state` is the trunk's output, w `[B, w_dim]` the style of the layer that takes the code in."""


def code_of(head: MotionHead[State], state: State, w: Tensor) -> Tensor:
    """Call a head and check its code, `[B, T, width]`; for backbones.

    Raises:
        InrvidError: the code has another shape.
    """
    code = head(state, w)
    if code.ndim != 3 or code.shape[2] != head.width:
        raise InrvidError(
            f"{type(head).__name__} gives codes of the shape {list(code.shape)}: expected [B, T, width], of width "
            f"{head.width}"
        )
    return code


class Motion(nn.Module, abc.ABC, Generic[Noise, State]):
    """A trunk, generic in the motion noise that it draws and the state that it makes from it.

    Constructed as `Class(config, z_dim=…, label_dim=…, clip_length=…)`.
    """

    Config: ClassVar[type[PartConfig]]

    def __init__(self, config: PartConfig, *, z_dim: int, label_dim: int, clip_length: int):
        super().__init__()
        self.config, self.z_dim, self.label_dim, self.clip_length = config, z_dim, label_dim, clip_length

    @property
    def span(self) -> Span | None:
        """The times that a sequence of noises covers; None: the noise is not a sequence and serves any time."""
        return None

    @abc.abstractmethod
    def sample_noise(self, draws: Draws) -> Noise:
        """Motion noise of `len(draws)` videos, on the CPU: `[B, …]`, or an endless sequence."""

    @abc.abstractmethod
    def head(self, width: int, w_dim: int) -> MotionHead[State]:
        """A new head that gives codes of `width` (or of width 0, if this motion has none)."""

    @abc.abstractmethod
    def forward(self, noise: Noise, label: Tensor, t: Tensor) -> State:
        """State of the videos with this noise and label `[B, classes]` at times t `[B, T]`, in frames."""
