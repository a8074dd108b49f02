"""MoCoGAN-HD's loss where the image generator shows something other than the videos (ICLR 2021, §3.3).

The pictures that are told apart are all generated: first frames, made by the image generator alone, and later ones. The
projections of two views of a picture should find each other among those of others; a video's first and later frames
should have similar projections.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import torch
from pydantic import Field
from torch import Tensor

from inrvid.plugins import NonNegative, Positive, Turn, to_device

from ..discriminators.cross_domain import CrossDomain
from .contrast import contrastive, match
from .game import WALKING, PathLoss, Scene
from .relativistic import half, penalty
from .views import drawn, view

GENERATOR_VIEWS = ("first", "later")
DISCRIMINATOR_VIEWS = ("first view 1", "first view 2", "later view 1", "later view 2")
Views = tuple[Tensor, ...]
"""Views of the pictures with these names, one draw each."""


class CrossDomainLoss(PathLoss[CrossDomain]):
    """Relativistic least squares of clips; hinge, contrast, likeness of pictures; motion noise recognised."""

    source = "MoCoGAN-HD (ICLR 2021) §3.3"

    class Config(PathLoss.Config):
        contrast: NonNegative = Field(2.0, description="weight of the contrastive loss")
        temperature: Positive = Field(0.07, description="τ of its similarities")
        match: NonNegative = Field(1.0, description="weight of the likeness of first and later frames; 5 for FFHQ")
        keep: float = Field(0.999, ge=0, lt=1, description="decay per step of the average of the network of pictures")

    config: Config
    discriminator_class = CrossDomain
    test_parts: ClassVar[dict[str, Any]] = {
        **WALKING,
        "discriminator": {"type": "mocogan_hd_cross", **CrossDomain.test_settings, "channel_max": 16},
    }

    def _generator(self, turn: Turn) -> Tensor:
        scene = self.scene(turn)
        loss = self.generator(scene, self.views(scene, turn, GENERATOR_VIEWS), turn.gathered)
        return loss + self.recognition(turn)

    def _discriminator(self, turn: Turn) -> Tensor:
        scene = self.scene(turn)
        alpha = to_device(turn.draws("penalty").uniform(), scene.real.device)
        return self.discriminator(scene, alpha, self.views(scene, turn, DISCRIMINATOR_VIEWS))

    def views(self, scene: Scene[CrossDomain], turn: Turn, names: tuple[str, ...]) -> Views:
        pictures = {name: scene.D.picture(scene.fake, n) for name, n in (("first", 0), ("later", scene.choices.later))}
        numbers = (to_device(drawn(turn.draws(name), scene.D.image_side), scene.fake.device) for name in names)
        return tuple(view(pictures[name.split()[0]], own) for name, own in zip(names, numbers, strict=True))

    def generator(self, scene: Scene[CrossDomain], views: Views, gathered: Callable[[Tensor], Tensor]) -> Tensor:
        """views: first and later frames; gathered: gives the rows of all processes."""
        D, (first, later) = scene.D, views
        real, fake = (scene.logits(kind) for kind in ("real", "fake"))
        with torch.no_grad():
            D.remember(*(gathered(D.average(x)[1]) for x in (first, later)))
        logits, projected = D.image(later)
        return half(fake, real) - logits.mean() + self.config.match * match(projected, D.image(first)[1])

    def discriminator(self, scene: Scene[CrossDomain], alpha: Tensor, views: Views) -> Tensor:
        """alpha `[B]`: where between generated and real clips the penalty is taken; views: two of first frames, two of
        later ones."""
        D = scene.D
        fake, real = (scene.logits(kind) for kind in ("fake", "real"))
        of_clips = half(real, fake) + self.config.penalty * penalty(D, scene.real, scene.fake, alpha)
        return of_clips + self.pictures(D, views)

    def pictures(self, D: CrossDomain, views: Views) -> Tensor:
        """Hinge and contrast of pictures, two views of first frames and two of later ones."""
        (first, a), (_, b), (later, c), (_, d) = (D.image(x) for x in views)
        hinge = (1 - first).relu().mean() + (1 + later).relu().mean()
        real, fake = D.queues[:, : D.used].clone()  # the next step writes into them
        return hinge + self.config.contrast * sum(
            contrastive(*pair, self.config.temperature) for pair in ((a, b, real), (c, d, fake))
        )

    def after(self, generator: Any, discriminator: Any) -> None:
        discriminator.follow(self.config.keep)
