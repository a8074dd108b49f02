"""MoCoGAN-HD's loss where the image generator shows what the videos show (ICLR 2021, §3.2)."""

from __future__ import annotations

from typing import Any, ClassVar

from torch import Tensor

from inrvid.plugins import ClipKind, Tensors, Turn, to_device

from ..discriminators.in_domain import InDomain
from .game import WALKING, PathLoss, Scene
from .relativistic import half, penalty


class InDomainLoss(PathLoss[InDomain]):
    """Relativistic least squares of patches, gradients of clips held at norm 1, motion noise recognised."""

    source = "MoCoGAN-HD (ICLR 2021) §3.2"

    class Config(PathLoss.Config):
        pass

    discriminator_class = InDomain
    test_parts: ClassVar[dict[str, Any]] = {
        **WALKING,
        "discriminator": {"type": "mocogan_hd", **InDomain.test_settings, "channel_max": 16},
    }

    def _generator(self, turn: Turn) -> Tensor:
        return self.generator(self.scene(turn)) + self.recognition(turn)

    def _discriminator(self, turn: Turn) -> Tensor:
        scene = self.scene(turn)
        return self.discriminator(scene, to_device(turn.draws("penalty").uniform(), scene.real.device))

    def generator(self, scene: Scene[InDomain]) -> Tensor:
        real, fake = (self.judged(scene, kind) for kind in ("real", "fake"))
        return half(fake, real)

    def discriminator(self, scene: Scene[InDomain], alpha: Tensor) -> Tensor:
        """alpha `[B]`: where between generated and real clips the penalty is taken."""
        fake, real = (self.judged(scene, kind) for kind in ("fake", "real"))
        return half(real, fake) + self.config.penalty * penalty(scene.D, scene.real, scene.fake, alpha)

    def judged(self, scene: Scene[InDomain], kind: ClipKind) -> Tensors:
        """All logits, of clips and of pictures."""
        frames = scene.real if kind == "real" else scene.fake
        return scene.logits(kind, scene.D.picture_inputs(frames, scene.choices.later))
