"""All analyses of one model, or those that are asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, cast

import torch
from pydantic import Field
from torch import Tensor

from ...discriminators.base import Discriminator
from ...errors import InrvidError, did_you_mean
from ...generators.base import VideoGenerator
from ...latents import Latents
from ...models.files import DISCRIMINATOR
from ...models.pretrained import load_beside
from ..model import open_model
from ..options import Options
from .cycles import cycles
from .finding import Finding, NotPossible
from .gradient_maps import gradient_maps
from .intervals import interval_logits
from .long_videos import motion_diversity, repeats
from .motion_features import motion_pca
from .slices import slices

JUDGED = 16
"""Clips whose logits are averaged, in training's batches."""


class Request(Options):
    """What to analyse.

    Attributes:
        only: names of analyses; empty: all.
        seed: of the first video.
        videos: how many to look at, where an analysis looks at several.
        frames: of each; default: four training clips, sixteen where repeats are looked for.
    """

    only: tuple[str, ...] = ()
    seed: Annotated[int, Field(ge=-(2**63), lt=2**63 - 1000)] = 0
    videos: Annotated[int, Field(ge=2, le=64)] = 4
    frames: Annotated[int, Field(ge=2, le=20_000)] | None = None


class Model:
    """A generator, its discriminator if there is one, and what the analyses draw from them."""

    def __init__(self, generator: VideoGenerator, discriminator: Discriminator | None, request: Request):
        self.generator, self._discriminator, self.request = generator, discriminator, request

    @property
    def discriminator(self) -> Discriminator:
        """Raises NotPossible."""
        if self._discriminator is None:
            raise NotPossible(
                "there is no discriminator beside this model: a run's folder has one in model/discriminator"
            )
        if self._discriminator.resolution != self.generator.resolution:
            raise NotPossible("the discriminator beside this model is of another resolution")
        return self._discriminator

    def latents(self, count: int | None = None) -> Latents:
        return self.generator.sample_latents(count or self.request.videos, seed=self.request.seed)

    def times(self, clips: int) -> Tensor:
        """Times of the frames asked for, or of as many as `clips` training clips have."""
        return torch.arange(self.request.frames or clips * self.generator.clip_length, dtype=torch.float64)


def _intervals(model: Model) -> Finding:
    last = model.generator.clip_length - 1
    return interval_logits(model.generator, model.discriminator, model.latents(JUDGED), last)


def _gradients(model: Model) -> Finding:
    latents, discriminator = model.latents(), model.discriminator
    parts = torch.linspace(0, 1, discriminator.frames, device=model.generator.device)
    t = (parts * (model.generator.clip_length - 1)).expand(len(latents), -1)
    with torch.no_grad():
        frames = model.generator(latents, t)
    return gradient_maps(discriminator, frames, t, latents.label)


ANALYSES: dict[str, Callable[[Model], Finding]] = {
    "motion": lambda model: motion_pca(model.generator, model.latents(), model.times(4)),
    "cycles": lambda model: cycles(model.generator, model.latents(1), model.request.frames),
    "intervals": _intervals,
    "gradients": _gradients,
    "slices": lambda model: slices(model.generator, model.latents(), model.times(4)),
    "repeats": lambda model: repeats(model.generator, model.latents(), len(model.times(16))),
    "diversity": lambda model: motion_diversity(
        model.generator,
        model.latents(1),
        model.generator.sample_latents(8, seed=model.request.seed + 1),
        model.times(4),
    ),
}
"""Analyses by name, in the order of a page."""


def analyze(
    generator: VideoGenerator, discriminator: Discriminator | None, request: Request | None = None
) -> Iterator[tuple[str, Finding | NotPossible]]:
    """Yield (name, what was found or why this model has no such analysis) as each is done.

    Example:
        found = dict(analyze(generator, None, Request(only=("slices", "repeats"))))

    Raises:
        InrvidError: a name that no analysis has.
    """
    request = request or Request()
    for name in request.only:
        if name not in ANALYSES:
            known = f"{did_you_mean(name, ANALYSES)}\n  available: {', '.join(ANALYSES)}"
            raise InrvidError(f"--only {name[:80]}: no such analysis.{known}")
    return _found(Model(generator, discriminator, request), request.only or tuple(ANALYSES))


def of_model(model: str | Path, request: Request, *, cpu: bool = False) -> Iterator[tuple[str, Finding | NotPossible]]:
    """Like `analyze`, for a saved model (folder, run, Hub repository), with the discriminator beside it, if any.

    Raises:
        InrvidError: no such model, or analysis.
    """
    generator = open_model(model, cpu=cpu)
    discriminator = load_beside("discriminators", model, DISCRIMINATOR)
    if discriminator is not None:
        discriminator = discriminator.to(generator.device).requires_grad_(False)
    return analyze(generator, cast("Discriminator | None", discriminator), request)


def _found(model: Model, names: tuple[str, ...]) -> Iterator[tuple[str, Finding | NotPossible]]:
    for name in names:
        try:
            yield name, ANALYSES[name](model)
        except NotPossible as why:
            yield name, why
