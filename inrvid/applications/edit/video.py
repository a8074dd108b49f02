"""Edited videos: which one is changed, by how much of what, and its frames."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated

import numpy as np
import torch
from pydantic import Field

from ...config import Natural, PathText
from ...errors import InrvidError
from ...generators.base import VideoGenerator
from ...grid import Grid
from ...latents import Latents
from ...video_io import Encoding, enlarge, to_uint8
from ..drawing import check_memory, frames_at_once
from ..latents_file import read_latents
from ..options import Options
from ..when import When, check_times
from ..where import Where
from .directions import Direction, moved, pick

Seed = Annotated[int, Field(ge=-(2**63), lt=2**63 - 1)]
STRONGEST = 1000
Strength = Annotated[float, Field(ge=-STRONGEST, le=STRONGEST)]


class Which(Options):
    """One video of a model.

    Attributes:
        seed: by which it is drawn; not used with a file of latents.
        latents: a file of latents, as a projection writes it.
        index: which of the file's videos.
        motion_seed: seed of another motion than its own.
    """

    seed: Seed = 0
    latents: PathText | None = None
    index: Natural = 0
    motion_seed: Seed | None = None

    def latents_of(self, generator: VideoGenerator) -> Latents:
        """Its latents. Raises InrvidError: no such file, or video in it, or latents of another model."""
        if self.latents is None:
            latents = generator.sample_latents(1, seed=self.seed)
        else:
            found = read_latents(self.latents, generator)
            if self.index >= len(found):
                raise InrvidError(f"{self.latents}: there is no video {self.index}: there are 0 … {len(found) - 1}")
            latents = found[self.index]
        if self.motion_seed is None:
            return latents
        return latents.with_motion(generator.sample_latents(1, seed=self.motion_seed))


class Request(When, Where):
    """An edited video.

    Attributes:
        steps: strengths, by the direction's name.
        beside: show the unedited video on the left.
    """

    steps: dict[str, Strength]
    video: Which = Which()
    beside: bool = False
    truncation: Annotated[float, Field(ge=-100, le=100)] = 1.0
    encoding: Encoding = Encoding()

    def frame_size(self, generator: VideoGenerator) -> tuple[int, int]:
        """(height, width) of the frames that are written, pixels. Raises as `grid_of`."""
        grid = self.grid_of(generator)
        return grid.height * self.enlarge, grid.width * self.enlarge * (1 + self.beside)

    def check_of_latents(self) -> None:
        """Raises InrvidError that names an option of frames: latents are the video at all times and sizes."""
        of_frames = {name: getattr(self, name) for name in {**When.model_fields, **Where.model_fields, "beside": None}}
        for name, value in {**of_frames, **dict(self.encoding)}.items():
            default = type(self if name in of_frames else self.encoding).model_fields[name].default
            if value != default:
                raise InrvidError(f"--{name.replace('_', '-')}: only for a video: leave it out, or write -o NAME.mp4")


def edited(generator: VideoGenerator, directions: Mapping[str, Direction], request: Request) -> Latents:
    """The edited video's latents.

    Example:
        latents = edited(generator, load_directions("d.safetensors", generator), Request(steps={"style_1": 2.5}))

    Raises:
        InrvidError: no direction of a name, or no such video.
    """
    steps = [(pick(directions, name), strength) for name, strength in request.steps.items()]
    return moved(generator, request.video.latents_of(generator), steps, request.truncation)


@torch.no_grad()
def edited_frames(
    generator: VideoGenerator, directions: Mapping[str, Direction], request: Request
) -> Iterator[np.ndarray]:
    """The edited video's frames, some at a time: uint8 `[n, H, W, 3]`, twice as wide with `beside`. Raises as `edited`.

    Example:
        for frames in edited_frames(generator, directions, Request(steps={"style_1": 2.5}, frames=20)):
            print(frames.shape)
    """
    videos = [edited(generator, directions, request)]
    if request.beside:
        before = dataclasses.replace(
            videos[0], ws=generator.styles(request.video.latents_of(generator), request.truncation)
        )
        videos.insert(0, before)
    inrs = [generator.inr(video) for video in videos]
    t, grid = request.times(generator), request.grid_of(generator)
    check_times(inrs[0], t)
    _check_memory(grid, len(inrs), request.enlarge)
    for parts in zip(*(inr.stream(t, grid) for inr in inrs), strict=True):
        yield enlarge(np.concatenate([to_uint8(part)[0] for part in parts], axis=2), request.enlarge)


def _check_memory(grid: Grid, beside: int, enlarged: int) -> None:
    """Raises InrvidError if the frames that are drawn at once would not fit."""
    height, width, frames = grid.height, grid.width * beside, frames_at_once(grid)
    needed = frames * height * width * 3 * (8 + 4 * enlarged**2)
    check_memory(needed, f"{frames} frames of {height * enlarged}x{width * enlarged} at a time", "video")


def parse_steps(given: Sequence[str]) -> dict[str, float]:
    """['style_1=2.5'] → {'style_1': 2.5}. Raises InrvidError for what is not NAME=STRENGTH."""
    found: dict[str, float] = {}
    for text in given:
        name, _, strength = text.partition("=")
        try:
            found[name] = float(strength)
        except ValueError:
            found[name] = math.nan
        if not name or not abs(found[name]) <= STRONGEST:
            raise InrvidError(f"{text[:80]}: expected NAME=STRENGTH, such as style_1=2.5, at most {STRONGEST}")
    return found
