"""Search for latents whose frames are the given ones: StyleGAN2's procedure (CVPR 2020, appendix D), for videos.

Adam moves styles, which start at the mean of w. Its learning rate ramps up in the first twentieth of the steps, and
down, as a cosine, in the last quarter. In the first three quarters noise is added to the styles: at first a twentieth
of the spread of w, then ever less. Motion noise, if it is searched for too, is treated alike, with the spread of
N(0, 1). Several starts, each with other motion noise, run as one batch; the best is kept.

The added noise is a function of (seed, step, video) alone: a search that was killed resumes exactly as it would have
gone on.
"""

from __future__ import annotations

import contextlib
import dataclasses
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

import torch
from pydantic import Field
from torch import Tensor

from ...config import Count, Natural, Positive
from ...errors import InrvidError
from ...generators.base import VideoGenerator
from ...latents import Latents
from ...random import Draws
from ..options import Options
from ..perceptual import Distance
from .state import State, digest
from .unknowns import Space, Unknowns, start_of, unknowns

UP, DOWN, NOISY = 0.05, 0.25, 0.75
"""Fractions of all steps: in which the learning rate ramps up, in which it ramps down, in which there is noise."""

NOISE = 0.05
"""Initial size of the noise, in spreads of what it is added to."""

POINTS = 1 << 20
"""Pixels, of all videos, whose gradients are held at a time: more videos and frames are taken part after part."""

Part: TypeAlias = tuple[slice, slice]
"""Rows of the batch, and frames."""


class SearchOptions(Options):
    """How latents are searched for."""

    steps: Count = Field(1000, description="of gradient descent")
    starts: Annotated[int, Field(ge=1, le=1000)] = Field(1, description="searches, of which the best is kept")
    space: Space = Field("w+", description="one style for all layers (w), or one for each (w+)")
    motion: Literal["found", "fixed"] | None = Field(
        None, description="whether motion noise is sought, too; default: if there are several frames"
    )
    learning_rate: Positive = Field(0.1, description="the highest")
    seed: Annotated[int, Field(ge=0, lt=2**62)] = Field(
        0, description="of the first start's motion, and of the noise that is added"
    )
    label: Natural | None = Field(None, description="class of a conditional model; default: drawn by the seed")


@dataclasses.dataclass(frozen=True)
class Found:
    """What was found for V videos.

    Attributes:
        latents: of the best start of each: W+ and motion noise.
        distances: `[V]`, between the frames that they give and the given ones, means over frames.
        starts: `[V]`, the number of the best start of each.
        all_distances: `[starts, V]`.
    """

    latents: Latents
    distances: Tensor
    starts: Tensor
    all_distances: Tensor


@torch.inference_mode(False)
@torch.enable_grad()
def search(
    generator: VideoGenerator,
    frames: Tensor,
    t: Tensor,
    distance: Distance,
    options: SearchOptions,
    *,
    state: Path | None = None,
    progress: Callable[[int, int, float], None] | None = None,
) -> Found:
    """Find the latents of V videos from their frames.

    Args:
        generator: in evaluation mode.
        frames: `[V, T, 3, H, W]`, [−1, 1], at the model's size.
        t: times of the frames `[T]`, in frames at the model's rate.
        distance: what is minimised, on the generator's device.
        state: file in which the search is saved as it goes; if it exists, and is of the same search, that is resumed.
        progress: called after each step with (steps done, of how many, the best start's distance).

    Raises:
        InrvidError: frames of another size, no such label, motion noise that cannot be searched for; a video for which
            every start has come to distances that are not numbers.
    """
    side = generator.resolution
    if frames.ndim != 5 or tuple(frames.shape[2:]) != (3, side, side) or t.shape != frames.shape[1:2]:
        raise InrvidError(f"frames {tuple(frames.shape)} at {len(t)} times: expected [V, T, 3, {side}, {side}] at T")
    frames, t = frames.to(generator.device), t.to(generator.device)
    with _frozen(generator):
        problem = _Problem.of(generator, frames, t, distance, options)
        said = digest(generator, frames, t, [distance.said, options.model_dump_json()]) if state else ""
        kept = State(problem.sought.leaves, state, said)
        for step in range(kept.resume(), options.steps):
            distances = problem.move(step, kept.optimizer)
            kept.save(step + 1, now=step + 1 == options.steps)
            if progress is not None:
                progress(step + 1, options.steps, float(_nearest(distances)[0].mean()))
        return problem.best()


def learning_rate(step: int, options: SearchOptions) -> float:
    """Learning rate of the step after `step` others."""
    done = step / options.steps
    down = 0.5 - 0.5 * math.cos(math.pi * min(1.0, (1 - done) / DOWN))
    return options.learning_rate * down * min(1.0, (done + 1 / options.steps) / UP)


def noise_scale(step: int, options: SearchOptions) -> float:
    """Size of the noise, in spreads of what it is added to."""
    return NOISE * max(0.0, 1 - step / options.steps / NOISY) ** 2


@dataclasses.dataclass
class _Problem:
    """All starts of all videos as one batch, starts first: row s·V + v is start s of video v."""

    generator: VideoGenerator
    frames: Tensor
    t: Tensor
    distance: Distance
    options: SearchOptions
    sought: Unknowns
    spread: float
    parts: list[Part]
    """The parts that are drawn at a time."""
    targets: list[Tensor] | None = None
    """Maps of the given frames, if all are drawn at once."""

    @classmethod
    def of(
        cls, generator: VideoGenerator, frames: Tensor, t: Tensor, distance: Distance, options: SearchOptions
    ) -> _Problem:
        videos = len(frames)
        starts = generator.sample_latents(options.starts, options.seed, options.label)
        around = starts[[start for start in range(options.starts) for _ in range(videos)]]
        move_motion = len(t) > 1 if options.motion is None else options.motion == "found"
        start = start_of(generator, options.label)
        sought = unknowns(generator, around, t, start, space=options.space, move_motion=move_motion)
        parts = _parts(len(around), len(t), frames.shape[-2] * frames.shape[-1])
        problem = cls(generator, frames, t, distance, options, sought, start.spread, parts)
        if len(parts) == 1:
            problem.targets = problem._target(*parts[0])
        return problem

    def move(self, step: int, optimizer: torch.optim.Optimizer) -> Tensor:
        """Make one step; returns the distances `[starts, V]` where it began."""
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step, self.options)
        optimizer.zero_grad()
        shifts = self._shifts(step)
        distances = torch.zeros(len(self.sought.around), device=self.t.device)
        for rows, some in self.parts:
            apart = self._apart(self.sought.latents(shifts), rows, some)
            if apart.requires_grad:
                apart.sum().backward()
            distances[rows] += apart.detach()
        optimizer.step()
        self.sought.keep_likely()
        return distances.view(self.options.starts, -1)

    @torch.no_grad()
    def best(self) -> Found:
        latents, apart = self.sought.latents(), torch.zeros(len(self.sought.around), device=self.t.device)
        for rows, some in self.parts:
            apart[rows] += self._apart(latents, rows, some)
        distances = apart.view(self.options.starts, -1)
        best, starts = _nearest(distances)
        chosen = latents[starts * len(self.frames) + torch.arange(len(self.frames), device=starts.device)]
        return Found(chosen, best, starts, distances)

    def _shifts(self, step: int) -> dict[str, Tensor]:
        """Noise to add to what is searched for: a spread is the length of a vector's deviation, √E‖x − μ‖²."""
        draws = Draws.of_batch(self.options.seed, "projection", step, range(len(self.sought.around)))
        scale, shifts = noise_scale(step, self.options), {}
        for name, leaf in self.sought.leaves.items():
            spread = self.spread if name == "styles" else math.sqrt(leaf.shape[-1])
            shifts[name] = draws.normal(*leaf.shape[1:]).to(leaf) * (scale * spread)
        return shifts

    def _apart(self, latents: Latents, rows: slice, some: slice) -> Tensor:
        """Distances `[n]` of a part of the rows and frames: sums over these frames, divided by the number of all."""
        drawn = self.generator.inr(latents[rows])(self.t[some])
        maps = self.distance.maps(drawn.flatten(0, 1))
        apart = self.distance.between(maps, self._target(rows, some) if self.targets is None else self.targets)
        return apart.view(len(drawn), -1).sum(1) / len(self.t)

    @torch.no_grad()
    def _target(self, rows: slice, some: slice) -> list[Tensor]:
        """Maps of the frames that these rows are to show; for all rows, only those of one start."""
        videos = len(self.frames)
        first, last, _ = rows.indices(len(self.sought.around))
        shown = (
            range(videos) if last - first == len(self.sought.around) else [row % videos for row in range(first, last)]
        )
        return self.distance.maps(self.frames[list(shown), some].flatten(0, 1))


def _nearest(distances: Tensor) -> tuple[Tensor, Tensor]:
    """(smallest distance, its start) per video, from distances `[starts, V]`. Raises InrvidError if none is finite."""
    best, starts = distances.nan_to_num(nan=math.inf, posinf=math.inf).min(0)
    if not best.isfinite().all():
        raise InrvidError("the search diverged (no distance is finite): lower --learning-rate, or raise --starts")
    return best, starts


def _parts(rows: int, frames: int, points: int) -> list[Part]:
    """Split rows and frames into parts that are drawn at a time: of `POINTS` pixels in all, or of one frame."""
    rows_at_once = max(1, min(rows, POINTS // points))
    at_once = max(1, POINTS // (rows_at_once * points))
    return [
        (slice(row, row + rows_at_once), slice(first, first + at_once))
        for row in range(0, rows, rows_at_once)
        for first in range(0, frames, at_once)
    ]


@contextlib.contextmanager
def _frozen(generator: VideoGenerator) -> Iterator[None]:
    """Inside, only the latents have gradients."""
    learned = [parameter for parameter in generator.parameters() if parameter.requires_grad]
    for parameter in learned:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for parameter in learned:
            parameter.requires_grad_(True)
