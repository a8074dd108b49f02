"""The relativistic pairing loss with R1 and R2 (R3GAN: Huang et al., NeurIPS 2024; pairing: Jolicoeur-Martineau 2019).

    L_D = E softplus(−(D(x) − D(G(z)))) + γ/2·(R1 + R2),    L_G = E softplus(−(D(G(z)) − D(x)))

x and G(z) are paired by their index in the batch, and have the same label; a head's logits are paired one by one (for a
head of single frames, frames at the same place). Heads are summed with weight 1, as each penalty is.

A penalty of every step is part of D's phase: one step of the optimizer follows the whole of L_D, as in the paper, and
the clips and their augmentation are those of the pairs. With a longer interval it is a phase of its own, on generated
clips of its own, weighted by the number of steps that it stands for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor

from inrvid.plugins import (
    AdversarialLoss,
    ClipKind,
    Cosine,
    Count,
    NonNegative,
    PartConfig,
    Phase,
    Positive,
    Tensors,
    Turn,
    at_least_float32,
    value_at,
)

from .penalties import by_differences, by_gradients

KINDS: tuple[ClipKind, ClipKind] = ("real", "fake")


class RelativisticLoss(AdversarialLoss):
    """Relativistic pairs of real and generated clips, with R1 and R2.

    softplus(D(x) − D(G(z))) for G, softplus(D(G(z)) − D(x)) for D, and penalties of D at real and at generated clips.
    """

    source = "R3GAN (NeurIPS 2024) §2–3"

    class Config(PartConfig):
        gamma: NonNegative | Cosine = Field(
            1.0, description="γ of both penalties, γ/2·‖∇‖², for each head; a number, or a cosine; 0: none"
        )
        penalty: Literal["gradient", "finite_differences"] = Field(
            "gradient",
            description="the norm from a gradient, or its estimate from a second pass over noisy clips, without second "
            "derivatives, so that train.compile covers all of D",
        )
        sigma: Positive = Field(0.01, description="deviation of the finite differences' noise; frames are in [−1, 1]")
        real_interval: Count = Field(1, description="steps between two penalties at real clips")
        generated_interval: Count = Field(1, description="steps between two penalties at generated clips")

    def __init__(self, config: Config):
        self.config = config

    def phases(self) -> Iterator[Phase]:
        intervals = self._intervals()
        yield Phase("G", "generator", ("fake", "real"), lambda turn: relative(turn, better="fake", worse="real"))
        yield Phase("D", "discriminator", ("fake", "real"), self._of_pairs)
        for kind, interval in intervals.items():
            if interval > 1:
                name = {"real": "R1", "fake": "R2"}[kind]
                yield Phase(name, "discriminator", (kind,), self._penalty(kind), interval=interval, weight=interval)

    def _intervals(self) -> dict[ClipKind, int]:
        """Of the penalties that are in use."""
        none = self.config.gamma == 0
        return (
            {} if none else dict(zip(KINDS, (self.config.real_interval, self.config.generated_interval), strict=True))
        )

    def _of_pairs(self, turn: Turn) -> Tensor:
        each_step = [kind for kind, interval in self._intervals().items() if interval == 1]
        loss = relative(turn, better="real", worse="fake")
        return torch.stack([loss, *(self.penalty(turn, kind) for kind in each_step)]).sum()

    def _penalty(self, kind: ClipKind) -> Callable[[Turn], Tensor]:
        return lambda turn: self.penalty(turn, kind)

    def penalty(self, turn: Turn, kind: ClipKind) -> Tensor:
        """γ/2 · Σ over heads of the mean of ‖∂logit/∂x‖², x a penalty point of the head, or of its estimate."""
        if self.config.penalty == "gradient":
            norms = by_gradients(turn, kind)
        else:
            norms = by_differences(turn, kind, self.config.sigma)
        return value_at(self.config.gamma, turn.clips_seen) / 2 * torch.stack([*norms.values()]).sum()


def relative(turn: Turn, *, better: ClipKind, worse: ClipKind) -> Tensor:
    """E softplus(−(D(better) − D(worse))) over pairs, summed over heads; both kinds are judged in one call."""
    logits = dict(zip(KINDS, turn.logits(*KINDS), strict=True))
    return sum_of_means({head: logits[worse][head] - logits[better][head] for head in logits[better]})


def sum_of_means(differences: Tensors) -> Tensor:
    return torch.stack([F.softplus(at_least_float32(value)).mean() for value in differences.values()]).sum()
