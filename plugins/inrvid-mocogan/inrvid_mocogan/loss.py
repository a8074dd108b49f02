"""MoCoGAN's losses (CVPR 2018, §3.3, as the release has them): cross-entropies of two discriminators, and of classes.

Where frames and clips are judged separately (`TwoHeads`), the frames are one from each real clip, and one from each of
as many generated videos, which are not those of the generated clips. Both discriminators learn in one step, which with
Adam is as good as two. Other discriminators judge the clips, and each of their heads takes part in the game.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor

from inrvid.plugins import AdversarialLoss, ClipKind, InrvidError, PartConfig, Phase, Tensors, Turn, at_least_float32

from .two_heads import TwoHeads, in_time


class Judged(NamedTuple):
    heads: Tensors
    """Logits, by head."""
    classes: Tensor | None = None
    """Class logits of the clips, `[B, classes, …]`, if the discriminator tells any."""


class MocoganLoss(AdversarialLoss):
    """Binary cross-entropy for frames and for clips, and of the clips' classes.

    For D: real → 1 plus generated → 0, of frames and of clips; for G: generated → 1. Each is a mean over its logits.
    """

    source = "MoCoGAN (CVPR 2018) §3.3"

    class Config(PartConfig):
        categories: bool = Field(False, description="D learns to tell the classes of real clips")
        infogan: bool = Field(False, description="G learns clips whose class D tells")

    def __init__(self, config: Config):
        self.config = config

    def phases(self) -> Iterator[Phase]:
        yield Phase("D", "discriminator", ("fake", "real"), self._of_judges)
        yield Phase("G", "generator", ("fake",), self._of_generator)

    def discriminator(self, real: Judged, fake: Judged, label: Tensor) -> Tensor:
        """`label` `[B, classes]`: of the real clips."""
        loss = towards(1, real) + towards(0, fake)
        return loss + cross_entropy(real.classes, label) if self.config.categories else loss

    def generator(self, fake: Judged, label: Tensor) -> Tensor:
        """`label` `[B, classes]`: that the clips were made with."""
        loss = towards(1, fake)
        return loss + cross_entropy(fake.classes, label) if self.config.infogan else loss

    def _of_judges(self, turn: Turn) -> Tensor:
        real, fake = judged(turn, "real"), judged(turn, "fake")
        return self.discriminator(real, fake, turn.clips("real")[2])

    def _of_generator(self, turn: Turn) -> Tensor:
        return self.generator(judged(turn, "fake"), turn.clips("fake")[2])


def judged(turn: Turn, kind: ClipKind) -> Judged:
    """What the discriminator thinks of this kind's augmented clips, and of frames, if it judges them apart."""
    D = turn.discriminator
    if not isinstance(D, TwoHeads):
        return Judged(turn.logits(kind)[0])
    clips, _, label = turn.clips(kind)
    frames = one_frame_each(turn, kind) if kind == "real" else other_frames(turn)
    augment = turn.augmentation(kind)
    with turn.noise(kind):
        image = D.of_frames(augment(frames).flatten(0, 1), label)
        video, classes = D.of_clips(in_time(augment(clips)))
    turn.judged[kind] = {"image": image, "video": video}
    return Judged(turn.judged[kind], classes)


def one_frame_each(turn: Turn, kind: ClipKind) -> Tensor:
    """`[B, 1, 3, H, W]`, each frame of a clip equally likely."""
    return torch.stack([frames[k : k + 1] for frames, k in zip(turn.clips(kind)[0], chosen(turn, kind), strict=True)])


def other_frames(turn: Turn) -> Tensor:
    """One frame from each of as many other videos with the same classes: `[B, 1, 3, H, W]`."""
    _, t, label = turn.clips("fake")
    times = torch.stack([own[k : k + 1] for own, k in zip(t, chosen(turn, "fake"), strict=True)])
    latents = turn.generator.draw_latents(lambda purpose: turn.draws(f"frame {purpose}"), len(t), label)
    with torch.set_grad_enabled(turn.clips("fake")[0].requires_grad):
        frames: Tensor = turn.generator(latents, times)
    return frames


def chosen(turn: Turn, kind: ClipKind) -> Sequence[int]:
    """A frame's number for each clip."""
    draws = turn.draws(f"{kind} frame")
    chosen: list[int] = draws.integers(torch.full((len(draws),), turn.clips(kind)[1].shape[1])).tolist()
    return chosen


def towards(target: float, logits: Judged) -> Tensor:
    """Sum of all heads' cross-entropies with one target."""
    heads = [at_least_float32(value) for value in logits.heads.values()]
    losses = [F.binary_cross_entropy_with_logits(value, torch.full_like(value, target)) for value in heads]
    return torch.stack(losses).sum()


def cross_entropy(classes: Tensor | None, label: Tensor) -> Tensor:
    """Of class logits `[B, classes, …]` with one-hot labels. Raises InrvidError: there are no class logits."""
    if classes is None or not classes.shape[1]:
        raise InrvidError(
            "loss: categories and infogan take a discriminator that tells classes: discriminator.type mocogan, its "
            "video categorical, and generator.label_dim the number of classes"
        )
    places = classes.flatten(2) if classes.ndim > 2 else classes[..., None]
    return F.cross_entropy(at_least_float32(places), label[..., None].expand_as(places).to(places.dtype))
