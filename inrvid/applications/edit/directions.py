"""Directions in the space of styles: their names, their files, and videos moved along them.

A direction is a vector `[places, w_dim]` that is added to the styles ws `[B, num_ws, w_dim]` of a video, times a
strength: one vector for all places where a style enters (places 1), or one for each. It changes what is seen, and
leaves the motion noise as it is: an edit found at one frame holds in all frames, and with any other motion.

They are written as safetensors, one tensor each, with JSON in the metadata: the sha256 of the weights that they belong
to, and how each was found.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from ...documents import Document, DocumentError, parse
from ...errors import InrvidError, did_you_mean
from ...files import write_bytes
from ...generators.base import VideoGenerator
from ...latents import Latents
from ...random import Draws
from ...video_io import to_uint8
from ...weights import WeightsError, digest_of, read_metadata, read_weights, weights_file

NAME = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}"

OBSERVED = 2000
"""Styles from which the spread of w is measured."""


@dataclasses.dataclass(frozen=True)
class Direction:
    """`vector` `[places, w_dim]` for a strength of 1; `how` it was found, in words."""

    name: str
    vector: Tensor
    how: str

    def __post_init__(self) -> None:
        check_name(self.name)


def check_name(name: str) -> None:
    """Raises InrvidError: no direction can be called so."""
    if not re.fullmatch(NAME, name):
        raise InrvidError(f"direction '{name[:80]}': a name is of letters, digits and . _ -, at most 64 of them")


class _About(Document):
    format: Literal["inrvid directions"]
    model: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    how: dict[Annotated[str, Field(pattern=f"^{NAME}$")], Annotated[str, Field(max_length=2000)]]


def save_directions(path: str | Path, directions: Iterable[Direction], generator: VideoGenerator) -> None:
    """Write a file of directions of this generator; of several with one name the last is kept.

    Example:
        save_directions("new.safetensors", directions.values(), generator)
    """
    named = {direction.name: direction for direction in directions}
    about = _About(
        format="inrvid directions", model=digest_of(generator), how={name: d.how for name, d in named.items()}
    )
    tensors = {name: d.vector.detach().float().cpu().contiguous() for name, d in named.items()}
    write_bytes(Path(path), weights_file(tensors, {"about": about.model_dump_json()}))


def load_directions(path: str | Path, generator: VideoGenerator | None = None) -> dict[str, Direction]:
    """What `save_directions` wrote, by name, in the order of finding.

    Args:
        generator: the one that they must belong to; they are moved to its device.

    Raises:
        InrvidError: no such file, another kind of file, or directions of another model.
    """
    path = Path(path)
    try:
        about = parse(read_metadata(path).get("about", "{}"), _About)
        tensors = read_weights(path)
    except (WeightsError, DocumentError) as error:
        raise InrvidError(f"{path}: not a file of directions: {error}") from None
    if set(tensors) != set(about.how) or any(x.ndim != 2 or not x.is_floating_point() for x in tensors.values()):
        raise InrvidError(f"{path}: not a file of directions: its tensors are not those that it lists")
    if unfit := [name for name, value in tensors.items() if not value.isfinite().all()]:
        raise InrvidError(f"{path}: direction {unfit[0]} is not finite (NaN or infinity)")
    if generator is not None:
        if about.model != digest_of(generator):
            raise InrvidError(f"{path}: directions of another model: each model has its own (inrvid edit find)")
        tensors = {name: value.to(generator.device) for name, value in tensors.items()}
    return {name: Direction(name, tensors[name], how) for name, how in about.how.items()}


def pick(directions: Mapping[str, Direction], name: str) -> Direction:
    """The direction of that name. Raises InrvidError: there is none."""
    if name not in directions:
        more = f"{did_you_mean(name, directions)}\n  there are: {', '.join(directions) or 'none'}"
        raise InrvidError(f"no direction named '{name[:80]}'.{more}")
    return directions[name]


def moved(
    generator: VideoGenerator,
    latents: Latents,
    steps: Sequence[tuple[Direction, float]],
    truncation: float = 1.0,
) -> Latents:
    """Videos with their styles moved by strength × direction, for each of `steps`; motion and label stay.

    Example:
        latents = generator.sample_latents(1, seed=3)
        edited = moved(generator, latents, [(directions["style_1"], 2.5)])
        frames = generator.inr(edited)(t)

    Raises:
        InrvidError: a direction whose number of places or width is not this generator's.
    """
    with torch.no_grad():
        ws = generator.styles(latents, truncation)
        for direction, strength in steps:
            places, width = direction.vector.shape
            if places not in (1, ws.shape[1]) or width != ws.shape[2]:
                raise InrvidError(
                    f"direction {direction.name}: {places}x{width} numbers, for {ws.shape[1]} styles of {ws.shape[2]}: "
                    "of another model"
                )
            ws = ws + strength * direction.vector.to(ws)
    return dataclasses.replace(latents, ws=ws.contiguous())


@torch.no_grad()
def strip(
    generator: VideoGenerator,
    latents: Latents,
    directions: Sequence[Direction],
    strengths: Sequence[float],
    at: float = 0.0,
    truncation: float = 1.0,
) -> np.ndarray:
    """A frame of one video at each strength of each direction: uint8 `[directions, strengths, H, W, 3]`.

    Example:
        picture = strip(generator, latents, list(directions.values()), [-3, 0, 3], at=8)
    """
    rows = []
    for direction in directions:
        videos = (moved(generator, latents, [(direction, strength)], truncation) for strength in strengths)
        rows.append(np.concatenate([to_uint8(generator.inr(video)(at))[0] for video in videos]))
    return np.stack(rows)


@torch.no_grad()
def observed_styles(generator: VideoGenerator, seeds: Sequence[int] = range(OBSERVED)) -> Tensor:
    """w `[N, w_dim]` of the videos of these seeds, each of the class that its seed draws, if there are classes."""
    latents = generator.draw_latents(lambda purpose: Draws.of_seeds(seeds, purpose), len(seeds))
    return generator.styles(latents)[:, 0]
