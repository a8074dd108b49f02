"""Videos out of a saved model, written to files."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

from .errors import InrvidError
from .generators.base import VideoGenerator
from .grid import Grid
from .hub import load_generator
from .kernels.pages import keep_pages
from .precision import set_tf32
from .video_io import WRITABLE, to_uint8, write_video
from .video_io import grid as side_by_side


@dataclasses.dataclass(frozen=True)
class Request:
    """What to generate; the fields are the options of `inrvid generate`."""

    videos: int = 1
    frames: int | None = None
    seconds: float | None = None
    fps: float | None = None
    start: float = 0.0
    seed: int = 0
    truncation: float = 1.0
    label: int | None = None
    size: str | None = None
    grid: bool = False
    precision: str | None = None


def generate_videos(model: str | Path, output: Path, request: Request, *, cpu: bool = False) -> Iterator[Path]:
    """Write the videos; yields the path of each file (or folder) as it is complete.

    Raises:
        InrvidError: no such model, or a request that it cannot fulfil.
    """
    if output.suffix.lower() not in WRITABLE:
        raise InrvidError(
            f"-o {output}: cannot write '{output.suffix}': use .mp4, .gif, or a folder name for png frames"
        )
    for option, value in (("fps", request.fps), ("seconds", request.seconds)):
        if value is not None and not 0 < value < math.inf:
            raise InrvidError(f"--{option} {value:g}: expected a number greater than 0")
    if not (math.isfinite(request.truncation) and math.isfinite(request.start)):
        raise InrvidError("--truncation and --start: expected finite numbers")
    generator = load_generator(model, precision=request.precision)
    set_tf32(request.precision or "fp32")
    device = torch.device("cuda" if torch.cuda.is_available() and not cpu else "cpu")
    if device.type == "cpu":
        keep_pages()
    generator = generator.to(device)
    fps = request.fps or generator.fps
    videos = (_video(generator, request, i, fps) for i in range(request.videos))
    if request.grid:
        write_video(output, side_by_side(np.stack(list(videos))), fps)
        yield output
        return
    for i, video in enumerate(videos):
        path = output if request.videos == 1 else _numbered(output, i)
        write_video(path, video, fps)
        yield path


def times(generator: VideoGenerator, request: Request, fps: float) -> torch.Tensor:
    """t `[T]` of the requested frames, in frames at the model's rate."""
    seconds = generator.clip_length / generator.fps if request.seconds is None else request.seconds
    count = request.frames or max(1, round(seconds * fps))
    return request.start + torch.arange(count, dtype=torch.float64) * (generator.fps / fps)


def parse_size(size: str | None, generator: VideoGenerator) -> Grid:
    """'256' or '256x384' (height × width) as a grid. Raises InrvidError for anything else."""
    if size is None:
        return Grid(generator.resolution, generator.resolution)
    match = re.fullmatch(r"(\d+)(?:[x×](\d+))?", size.strip().lower())
    if not match or 0 in (height_width := (int(match[1]), int(match[2] or match[1]))):
        raise InrvidError(f"--size {size}: expected a side in pixels, such as 256, or HEIGHTxWIDTH")
    return Grid(*height_width)


@torch.no_grad()
def _video(generator: VideoGenerator, request: Request, index: int, fps: float) -> np.ndarray:
    """Video `index`, alone: its pixels do not depend on how many others are asked for."""
    latents = generator.sample_latents(1, seed=request.seed + index, label=request.label)
    inr = generator.inr(latents, truncation=request.truncation)
    grid = parse_size(request.size, generator)
    return np.concatenate([to_uint8(frames)[0] for frames in inr.stream(times(generator, request, fps), grid)])


def _numbered(output: Path, index: int) -> Path:
    return output.with_name(f"{output.stem}_{index:03d}{output.suffix}")
