"""What a projection moves: styles, and motion noise where it matters for the given times.

Which noises a motion looks at is found by watching it: it is handed a sequence that records the indices asked for.
Those become unknowns; before and after them the sequence stays as it was (`GivenNoise`).
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from typing import Literal, TypeAlias

import torch
from torch import Tensor

from ...errors import InrvidError
from ...generators.base import VideoGenerator
from ...generators.inr import Noise
from ...latents import Latents
from ...motion.noise import GivenNoise, NoiseSequence, ObservedNoise

Space: TypeAlias = Literal["w", "w+"]
"""One style for all places where styles enter, or one for each."""

SAMPLES, AT_ONCE = 10_000, 1000
"""Styles whose mean and spread a search starts from (StyleGAN2, appendix D), and how many are made together."""

MOST_CODES = 4096
"""Vectors of motion noise that are searched for per video, at most."""

LIKELY = 2.0
"""Standard deviations by which the mean square of a vector of motion noise may exceed that of N(0, 1)."""


@dataclasses.dataclass(frozen=True)
class Start:
    """The mean of styles `[num_ws, w_dim]`, and the length of their deviations from it, √E‖w − μ‖²."""

    mean: Tensor
    spread: float


@torch.no_grad()
def start_of(generator: VideoGenerator, label: int | None) -> Start:
    """Raises InrvidError: no such label."""
    total = squares = torch.zeros((), dtype=torch.float64, device=generator.device)
    for first in range(0, SAMPLES, AT_ONCE):
        latents = generator.sample_latents(min(AT_ONCE, SAMPLES - first), seed=first, label=label)
        ws = generator.styles(latents).double()
        total, squares = total + ws.sum(0), squares + ws.square().sum(0)
    mean = total / SAMPLES
    variance = (squares / SAMPLES - mean.square()).sum(1).mean()
    return Start(mean.float(), float(variance.clamp(min=0).sqrt()))


@dataclasses.dataclass
class Unknowns:
    """Styles and motion noise of B videos, as leaves of the graph.

    Attributes:
        styles: `[B, 1, w_dim]` or `[B, num_ws, w_dim]`.
        motion: `[B, …]`; None: it stays that of `around`.
        around: latents of B videos: their labels, and the motion noise at all other indices.
        of_motion: values → motion noise.
    """

    styles: Tensor
    motion: Tensor | None
    around: Latents
    num_ws: int
    of_motion: Callable[[Tensor], Noise]

    @property
    def leaves(self) -> dict[str, Tensor]:
        return {"styles": self.styles} | ({} if self.motion is None else {"motion": self.motion})

    @torch.no_grad()
    def keep_likely(self) -> None:
        """Shorten vectors of motion noise that are longer than N(0, 1) makes them: beyond, the model knows nothing.

        A vector of n numbers has a mean square of 1, give or take √(2/n).
        """
        if self.motion is not None:
            most = math.sqrt(1 + LIKELY * math.sqrt(2 / self.motion.shape[-1]))
            length = self.motion.square().mean(-1, keepdim=True).sqrt()
            self.motion.mul_((most / length.clamp(min=1e-12)).clamp(max=1))

    def latents(self, shifts: dict[str, Tensor] | None = None) -> Latents:
        """Latents of all B videos, with W+ in place of content; `shifts` are added to the leaves of the same name."""
        values = {name: leaf + shifts[name] if shifts else leaf for name, leaf in self.leaves.items()}
        ws = values["styles"].expand(-1, self.num_ws, -1)
        motion = self.of_motion(values["motion"]) if "motion" in values else self.around.motion
        return dataclasses.replace(self.around, ws=ws, motion=motion)


def unknowns(
    generator: VideoGenerator, around: Latents, t: Tensor, start: Start, *, space: Space, move_motion: bool
) -> Unknowns:
    """What is to be found for frames at times t `[T]`; styles start at the mean, motion at that of `around`.

    Raises:
        InrvidError: the motion's noise is neither a tensor nor a sequence of noises, and is to be found.
    """
    mean = start.mean if space == "w+" else start.mean.mean(0, keepdim=True)
    styles = mean.expand(len(around), -1, -1).clone().requires_grad_()
    motion, of_motion = _of_motion(generator, around, t) if move_motion else (None, _as_it_is)
    leaf = None if motion is None or not motion.numel() else motion.clone().requires_grad_()
    around = dataclasses.replace(around, content=torch.zeros_like(around.content))
    return Unknowns(styles, leaf, around, generator.num_ws, of_motion)


def _as_it_is(values: Tensor) -> Noise:
    return values


def _of_motion(
    generator: VideoGenerator, around: Latents, t: Tensor
) -> tuple[Tensor | None, Callable[[Tensor], Noise]]:
    """The noise that these times look at, and a function that makes complete motion noise of it."""
    noise = around.motion
    if isinstance(noise, Tensor):
        return noise, _as_it_is
    if not isinstance(noise, NoiseSequence):
        kind = type(generator.motion).__name__
        raise InrvidError(
            f"motion noise of {kind} is a {type(noise).__name__}, neither a tensor nor a sequence of noises: it cannot "
            "be found; content alone can (--motion fixed)"
        )
    asked: list[Tensor] = []
    with torch.no_grad():
        generator.motion(ObservedNoise(noise, asked.append), around.label, t.expand(len(around), -1))
    asked = [index for index in asked if index.numel()]
    if not asked:
        return None, _as_it_is
    first, last = min(int(index.min()) for index in asked), max(int(index.max()) for index in asked)
    codes = last - first + 1
    if codes > MOST_CODES:
        raise InrvidError(
            f"{codes} codes of motion noise lie between the first and the last time, at most {MOST_CODES} are sought: "
            "times that lie closer together, or --motion fixed"
        )
    indices = torch.arange(first, last + 1, device=generator.device)
    return noise.at(indices.expand(len(around), -1)), lambda values: GivenNoise(values, first, noise)
