"""What MoCoGAN-HD's two losses share (ICLR 2021, §3.2): the phases, clips reversed in time, and the noise that is
recognised in the motion's state.

The generator takes several steps, each with new videos, and then the discriminator one. Every choice is made for the
whole batch, on all processes: which later frame is looked at, and whether clips run backwards (only in what the pyramid
over time looks at: the first frame, to which the others are joined, stays the first).
"""

from __future__ import annotations

import abc
from collections.abc import Iterator
from typing import Any, ClassVar, Generic, NamedTuple, TypeVar

import torch
from pydantic import Field
from torch import Tensor

from inrvid.plugins import (
    AdversarialLoss,
    ClipKind,
    Count,
    Draws,
    InrvidError,
    NonNegative,
    PartConfig,
    Phase,
    Tensors,
    Turn,
)

from ..discriminators.clips import ClipDiscriminator
from ..generators.mocogan_hd import MocoganHd
from .contrast import match

WALKING: dict[str, Any] = {
    "generator": {
        "type": "mocogan_hd",
        **{"resolution": 32, "clip_length": 8, "z_dim": 12, "w_dim": 12},
        **MocoganHd.test_settings,
        "motion": {"type": "latent_walk", "code_dim": 8, "recognises": True},
    },
    "time_sampler": {"type": "consecutive", "max_frames": 4},
}
"""What these losses are tested with."""

D = TypeVar("D", bound=ClipDiscriminator)


class Choices(NamedTuple):
    """Choices of a phase, the same for the whole batch."""

    later: int
    """Number of the frame that is looked at as a picture, 1 … n − 1."""
    backwards: tuple[ClipKind, ...]
    """Clips that run backwards."""

    @classmethod
    def drawn(cls, draws: Draws, frames: int) -> Choices:
        one = Draws([draws.keys[0]._replace(sample=0)], draws.purpose)
        later, real, fake = one.uniform(3)[0].tolist()
        kinds: tuple[tuple[ClipKind, float], ...] = (("real", real), ("fake", fake))
        return cls(1 + int(later * (frames - 1)), tuple(kind for kind, coin in kinds if coin < 0.5))


class Scene(NamedTuple, Generic[D]):
    """What a phase looks at, once all is drawn."""

    D: D
    real: Tensor
    """`[B, n, 3, R, R]`"""
    fake: Tensor
    choices: Choices
    seen: dict[ClipKind, Tensors] | None = None
    """Where the logits are kept: an adaptive augmentation follows their signs."""

    def clips(self, kind: ClipKind) -> Tensors:
        """What the heads of clips look at."""
        frames = self.real if kind == "real" else self.fake
        return self.D.clip_inputs(frames, backwards=kind in self.choices.backwards)

    def logits(self, kind: ClipKind, pictures: Tensors | None = None) -> Tensors:
        """Of the heads of clips, and of those of pictures whose inputs are given."""
        found = self.D.heads({**self.clips(kind), **(pictures or {})})
        if self.seen is not None:
            self.seen[kind] = found
        return found


class PathLoss(AdversarialLoss, Generic[D]):
    """Derived classes say what the two networks minimise, and which discriminator is needed."""

    class Config(PartConfig):
        generator_steps: Count = Field(5, description="steps of the generator per step of the discriminator")
        penalty: NonNegative = Field(10.0, description="weight of the gradient penalty on clips")
        mutual: NonNegative = Field(
            1.0, description="weight of recognising the motion noise (generator.motion.recognises)"
        )

    discriminator_class: type[D]
    test_settings: ClassVar[dict[str, Any]] = {"generator_steps": 2}
    test_alone = "means and contrasts are of a process's own clips, as in the release"

    def __init__(self, config: Config):
        self.config = config

    def phases(self) -> Iterator[Phase]:
        for i in range(self.config.generator_steps):
            yield Phase(f"G{i + 1}" if i else "G", "generator", ("fake", "real"), self._generator)
        yield Phase("D", "discriminator", ("fake", "real"), self._discriminator, after=self.after)

    @abc.abstractmethod
    def _generator(self, turn: Turn) -> Tensor:
        """What the generator minimises."""

    @abc.abstractmethod
    def _discriminator(self, turn: Turn) -> Tensor:
        """What the discriminator minimises."""

    def after(self, generator: Any, discriminator: Any) -> None:
        """Called when the discriminator has moved."""

    def scene(self, turn: Turn) -> Scene[D]:
        """What this phase looks at. Raises InrvidError: it is another discriminator."""
        D = turn.discriminator
        if not isinstance(D, self.discriminator_class):
            raise InrvidError(
                f"loss {self.config.type}: looks at frames that the discriminator {D.config['type']} does not show: "
                f"--set discriminator.type={self.config.type}"
            )
        real, fake = (turn.augmentation(kind)(turn.clips(kind)[0]) for kind in ("real", "fake"))
        return Scene(D, real, fake, Choices.drawn(turn.draws("choices"), real.shape[1]), turn.judged)

    def recognition(self, turn: Turn) -> Tensor:
        """−mean cosine of each step's noise and what is recognised of it, weighted.

        Raises:
            InrvidError: nothing is recognised.
        """
        if not self.config.mutual:
            return torch.zeros((), device=turn.generator.device)
        known = getattr(turn.generator, "recognised", None)
        pair = None if known is None else known(turn.latents(), turn.clips("fake")[1])
        if pair is None:
            raise InrvidError(
                f"loss {self.config.type}: this generator recognises no motion noise: give it generator.motion "
                "{type: latent_walk, recognises: true}, or --set loss.mutual=0"
            )
        return self.config.mutual * match(*pair)
