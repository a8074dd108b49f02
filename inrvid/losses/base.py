"""Losses: a game of two networks, as the phases that a training step goes through.

A phase updates one of the two networks with a loss of what it sees, which is a `Turn`: real and generated clips, their
logits, and the augmentation under which the discriminator gives them.
"""

from __future__ import annotations

import abc
import dataclasses
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import ClassVar, Literal, Protocol, get_args

from torch import Tensor

from ..config import PartConfig
from ..discriminators.base import Augmentation, ClipBatch, Discriminator, Tensors
from ..errors import InrvidError
from ..generators.base import VideoGenerator
from ..latents import Latents
from ..random import Draws

Network = Literal["generator", "discriminator"]
ClipKind = Literal["real", "fake"]
"""Kind of clips: the data's, or the generator's."""


class Turn(Protocol):
    """What a phase may look at, one micro-batch at a time. Everything is computed when first asked for.

    Generated clips are new in each phase, and carry gradients if the phase updates the generator.
    """

    @property
    def generator(self) -> VideoGenerator: ...

    @property
    def discriminator(self) -> Discriminator: ...

    @property
    def clips_seen(self) -> int:
        """Clips seen by the training before this step, of which a schedule is a function (`inrvid.schedule`)."""

    def draws(self, purpose: str) -> Draws:
        """Random numbers of this phase, one stream per clip: a function of (seed, phase, purpose, step, clip)."""

    def latents(self) -> Latents:
        """Latents of this phase's generated clips."""

    def clips(self, kind: ClipKind) -> ClipBatch:
        """Frames `[B, T, 3, H, W]` before augmentation, times `[B, T]`, labels `[B, classes]`."""

    def augmentation(self, kind: ClipKind) -> Augmentation:
        """The phase's single draw of an augmentation for these clips."""

    def logits(self, *kinds: ClipKind) -> tuple[Tensors, ...]:
        """Logits by head of augmented clips; several kinds are judged in one call if the discriminator allows it."""

    @property
    def judged(self) -> dict[ClipKind, Tensors]:
        """Logits found so far, by kind: their signs are logged, and an adaptive augmentation follows them. A loss that
        itself calls the discriminator, or parts of it, writes the logits that it finds here."""

    def judge(self, kind: ClipKind, frames: Tensor | Tensors) -> Tensors:
        """Logits of other frames `[B, T, 3, H, W]` in place of this kind's, whose times, labels and noise are kept.

        The frames are not augmented: that is left to the caller. Instead of frames, what the heads look at may be given
        (`Discriminator.inputs`, `penalty_points`). With `train.compile`, there are no second derivatives.
        """

    def noise(self, *kinds: ClipKind) -> AbstractContextManager[None]:
        """Within this context, layers that add noise add that of these kinds' clips, concatenated to one batch in this
        order; for losses that themselves call the discriminator, or parts of it."""

    def gathered(self, rows: Tensor) -> Tensor:
        """Rows of all processes, one process after another, without a gradient. All processes must call it."""


@dataclasses.dataclass(frozen=True)
class Phase:
    """One of the phases of a step.

    Attributes:
        name: appears in logs (`loss/NAME`), and is part of the purpose of its random draws.
        moves: the network whose parameters learn; those of the other are constants.
        sees: which clips.
        loss: returns a scalar.
        interval: steps from one run of this phase to the next.
        weight: factor on the loss; usually the interval, so that a rare phase weighs as much as all it stands for.
        after: called with both networks, without gradients, once the parameters have been updated.

    Raises:
        InrvidError: `moves` or `sees` names something that does not exist, or `interval` is below 1.
    """

    name: str
    moves: Network
    sees: tuple[ClipKind, ...]
    loss: Callable[[Turn], Tensor]
    interval: int = 1
    weight: float = 1.0
    after: Callable[[VideoGenerator, Discriminator], None] | None = None

    def __post_init__(self) -> None:
        networks, kinds = get_args(Network), get_args(ClipKind)
        if self.moves not in networks:
            raise InrvidError(f"phase {self.name}: moves {self.moves!r}: one of {', '.join(networks)}")
        if not isinstance(self.sees, tuple) or not set(self.sees) <= {*kinds}:
            raise InrvidError(f"phase {self.name}: sees {self.sees!r}: a tuple of {' and '.join(map(repr, kinds))}")
        if self.interval < 1:
            raise InrvidError(f"phase {self.name}: its interval is {self.interval}")


class AdversarialLoss(abc.ABC):
    """A loss; constructed as `Class(config)`."""

    Config: ClassVar[type[PartConfig]]

    @abc.abstractmethod
    def phases(self) -> Iterator[Phase]:
        """The phases of a step, in their order."""
