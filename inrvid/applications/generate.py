"""Videos out of a saved model, written to files."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import psutil
import torch
from pydantic import Field

from ..config import LARGEST_SIDE, Count, Fps, Natural, StrictModel, validate
from ..errors import ConfigError, InrvidError
from ..generators.base import VideoGenerator
from ..grid import Grid
from ..video_io import WRITABLE, to_uint8, write_video
from ..video_io import grid as side_by_side
from .model import open_model

MOST_FRAMES = 10**6
"""Of one video."""


class Request(StrictModel):
    """What to generate; the fields are the options of `inrvid generate`."""

    videos: Count = 1
    frames: Count | None = None
    seconds: Annotated[float, Field(gt=0, le=1e6)] | None = None
    fps: Fps | None = None
    start: Annotated[float, Field(ge=-1e9, le=1e9)] = 0.0
    seed: Annotated[int, Field(ge=-(2**63), lt=2**63)] = 0
    truncation: Annotated[float, Field(ge=-100, le=100)] = 1.0
    label: Natural | None = None
    size: str | None = None
    grid: bool = False
    precision: str | None = None

    @classmethod
    def of(cls, **options: Any) -> Request:
        """Raises InrvidError that names the option with a value of another type or out of range."""
        try:
            return validate(cls, options)
        except ConfigError as error:
            raise InrvidError("\n".join(f"--{'.'.join(path)}: {what}" for path, what in error.problems)) from None


def generate_videos(model: str | Path, output: Path, request: Request, *, cpu: bool = False) -> Iterator[Path]:
    """Write the videos; yields the path of each file (or folder) as it is complete.

    Raises:
        InrvidError: no such model, or a request that it cannot fulfil.
    """
    if not output.name:
        raise InrvidError(f"-o {output}: give the name of a file, such as out.mp4, or of a new folder")
    if output.suffix.lower() not in WRITABLE:
        raise InrvidError(
            f"-o {output}: cannot write '{output.suffix}': use .mp4, .gif, or a folder name for png frames"
        )
    generator = open_model(model, precision=request.precision, cpu=cpu)
    fps = request.fps or generator.fps
    _check_memory(generator, request, fps)
    videos = (_video(generator, request, i, fps) for i in range(request.videos))
    if request.grid:
        write_video(output, side_by_side(np.stack(list(videos))), fps)
        yield output
        return
    for i, video in enumerate(videos):
        path = output if request.videos == 1 else _numbered(output, i)
        write_video(path, video, fps)
        yield path


def _check_memory(generator: VideoGenerator, request: Request, fps: float) -> None:
    """Raises InrvidError if the frames that are held at once would not fit."""
    grid = parse_size(request.size, generator)
    frames = len(times(generator, request, fps)) * (request.videos if request.grid else 1)
    needed, free = 2 * 3 * frames * grid.height * grid.width, psutil.virtual_memory().available
    if needed > free:
        raise InrvidError(
            f"{frames} frames of {grid.height}x{grid.width} need {needed / 2**30:.1f} GiB, {free / 2**30:.1f} GiB of "
            "memory are free: ask for a shorter or a smaller video"
        )


def times(generator: VideoGenerator, request: Request, fps: float) -> torch.Tensor:
    """t `[T]` of the requested frames, in frames at the model's rate."""
    seconds = generator.clip_length / generator.fps if request.seconds is None else request.seconds
    count = request.frames or max(1, round(seconds * fps))
    if count > MOST_FRAMES:
        raise InrvidError(f"{count} frames: at most {MOST_FRAMES} can be written as one video")
    return request.start + torch.arange(count, dtype=torch.float64) * (generator.fps / fps)


def parse_size(size: str | None, generator: VideoGenerator) -> Grid:
    """'256' or '256x384' (height × width) as a grid. Raises InrvidError for anything else."""
    if size is None:
        return Grid(generator.resolution, generator.resolution)
    match = re.fullmatch(r"([0-9]{1,9})(?:[x×]([0-9]{1,9}))?", size.strip().lower())
    height, width = (int(match[1]), int(match[2] or match[1])) if match else (0, 0)
    if not (1 <= height <= LARGEST_SIDE and 1 <= width <= LARGEST_SIDE):
        raise InrvidError(
            f"--size {size[:40]}: expected a side in pixels, such as 256, or HEIGHTxWIDTH, at most {LARGEST_SIDE}"
        )
    return Grid(height, width)


@torch.no_grad()
def video_of_seed(generator: VideoGenerator, seed: int, t: torch.Tensor) -> np.ndarray:
    """The video of a seed alone at times t `[T]`, at the model's size: uint8 `[T, H, W, 3]`."""
    inr = generator.inr(generator.sample_latents(1, seed=seed))
    return np.concatenate([to_uint8(frames)[0] for frames in inr.stream(t)])


@torch.no_grad()
def _video(generator: VideoGenerator, request: Request, index: int, fps: float) -> np.ndarray:
    """Video `index`, alone: its pixels do not depend on how many others are asked for."""
    latents = generator.sample_latents(1, seed=request.seed + index, label=request.label)
    inr = generator.inr(latents, truncation=request.truncation)
    grid = parse_size(request.size, generator)
    return np.concatenate([to_uint8(frames)[0] for frames in inr.stream(times(generator, request, fps), grid)])


def _numbered(output: Path, index: int) -> Path:
    return output.with_name(f"{output.stem}_{index:03d}{output.suffix}")
