"""Losses: a game of two networks, as the phases that a training step goes through.

A phase moves one of the two networks by a loss of what it sees. What there is to see is a `Turn`: real and generated
clips, what the discriminator thinks of them, and the augmentation under which it does.
"""

from __future__ import annotations

import abc
import dataclasses
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import ClassVar, Literal, Protocol, get_args

from torch import Tensor

from ..config import PartConfig
from ..discriminators.base import Augmentation, Clips, Discriminator, Tensors
from ..errors import InrvidError
from ..generators.base import VideoGenerator
from ..latents import Latents
from ..random import Draws

Network = Literal["generator", "discriminator"]
Kind = Literal["real", "fake"]
"""Of clips: the data's, or the generator's."""


class Turn(Protocol):
    """What a phase may look at, one micro-batch at a time. Everything is made when it is first asked for.

    Generated clips are new in each phase, and carry gradients where the phase moves the generator.
    """

    @property
    def generator(self) -> VideoGenerator: ...

    @property
    def discriminator(self) -> Discriminator: ...

    @property
    def clips_seen(self) -> int:
        """By the training, before this step: what a schedule is a function of (`inrvid.schedule`)."""

    def draws(self, purpose: str) -> Draws:
        """Random numbers of this phase, a stream a clip: a function of (seed, phase, purpose, step, clip)."""

    def latents(self) -> Latents:
        """Of this phase's generated clips."""

    def clips(self, kind: Kind) -> Clips:
        """Frames `[B, T, 3, H, W]` before augmentation, times `[B, T]`, labels `[B, classes]`."""

    def augmentation(self, kind: Kind) -> Augmentation:
        """The phase's one draw for these clips."""

    def logits(self, *kinds: Kind) -> tuple[Tensors, ...]:
        """By head, of augmented clips; several kinds are judged in one call of the discriminator where it allows it."""

    @property
    def judged(self) -> dict[Kind, Tensors]:
        """Logits as they were found, by kind: their signs are logged, and an adaptive augmentation follows them. A loss
        that calls the discriminator, or parts of it, by itself writes here what it finds."""

    def judge(self, kind: Kind, frames: Tensor | Tensors) -> Tensors:
        """Logits of other frames `[B, T, 3, H, W]` in the place of this kind's, whose times, labels and noise stay.

        They are judged as they are: augmentation is the caller's. In their place: what the heads look at
        (`Discriminator.inputs`, `penalty_points`). Where `train.compile` is on it has no second derivatives.
        """

    def noise(self, *kinds: Kind) -> AbstractContextManager[None]:
        """Within, layers that add noise add that of these clips, which are called one after another in a batch; for
        calls of the discriminator, or parts of it, by a loss itself."""

    def gathered(self, rows: Tensor) -> Tensor:
        """Rows of all processes, one process after another, without a gradient. All processes must ask for it."""


@dataclasses.dataclass(frozen=True)
class Phase:
    """One of the phases of a step.

    Attributes:
        name: in logs (`loss/NAME`), and part of what its random draws are for.
        moves: whose parameters learn; those of the other network are constants.
        sees: which clips.
        loss: a scalar.
        interval: steps between two of this phase.
        weight: of the loss; usually the interval, so that a rare phase weighs as much as all that it stands for.
        after: called with both networks, without gradients, when the parameters have moved.

    Raises:
        InrvidError: moves no network that there is, sees clips of no kind that there is, or is never played.
    """

    name: str
    moves: Network
    sees: tuple[Kind, ...]
    loss: Callable[[Turn], Tensor]
    interval: int = 1
    weight: float = 1.0
    after: Callable[[VideoGenerator, Discriminator], None] | None = None

    def __post_init__(self) -> None:
        networks, kinds = get_args(Network), get_args(Kind)
        if self.moves not in networks:
            raise InrvidError(f"phase {self.name}: moves {self.moves!r}: one of {', '.join(networks)}")
        if not isinstance(self.sees, tuple) or not set(self.sees) <= {*kinds}:
            raise InrvidError(f"phase {self.name}: sees {self.sees!r}: a tuple of {' and '.join(map(repr, kinds))}")
        if self.interval < 1:
            raise InrvidError(f"phase {self.name}: its interval is {self.interval}")


class AdversarialLoss(abc.ABC):
    """Constructed as `Class(config)`."""

    Config: ClassVar[type[PartConfig]]

    @abc.abstractmethod
    def phases(self) -> Iterator[Phase]:
        """The phases of a step, in their order."""
