"""What lies between two videos: in the weights φ of their functions (DIGAN, figure 9), or in their latents.

As a video along which λ goes from 0 to 1, at one time or with time running; or as a picture with one row per λ and one
column per time.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from ..errors import InrvidError
from ..generators.base import VideoGenerator
from ..generators.inr import Noise, VideoINR
from ..grid import Grid
from ..latents import Latents
from ..motion.noise import NoiseSequence
from ..slerp import slerp
from ..video_io import Encoding, behind, check_path, check_video, enlarge, strip, to_uint8, write_image, writing
from .drawing import check_memory, draw, frames_at_once
from .generate import Progress
from .latents_file import read_latents
from .model import open_model
from .when import When, check_times
from .where import Where
from .who import class_number

Space = Literal["phi", "z", "w", "motion", "all"]
How = Literal["linear", "spherical"]
Between = Callable[[float], VideoINR]
"""λ of 0 … 1 → φ of the video there."""

ROWS, COLUMNS = 5, 8
"""Rows and columns of a picture, by default."""

GAUSSIAN: tuple[Space, ...] = ("z", "motion", "all")
"""Spaces in which latents are N(0, 1), so that the way between them is along a sphere."""


class Request(When, Where):
    """How two videos are interpolated; the fields are the options of `inrvid interpolate`."""

    space: Space = Field(
        "phi", description="what changes: all of φ; the content's z or style w; the motion; all latents"
    )
    how: How | None = Field(None, description="default: linear in φ and w, spherical in z, motion and all")
    at: Annotated[float, Field(ge=-1e9, le=1e9)] | None = Field(None, description="all at this time, in frames")
    label: int | Annotated[str, Field(max_length=1000)] | None = Field(None, description="class of both, of seeds")
    truncation: Annotated[float, Field(ge=-100, le=100)] = 1.0
    rows: Annotated[int, Field(ge=1, le=64)] | None = Field(None, description=f"of a picture: values of λ ({ROWS})")
    columns: Annotated[int, Field(ge=1, le=64)] | None = Field(
        None, description=f"of a picture: times ({COLUMNS}; if all are at one time, 1)"
    )
    encoding: Encoding = Encoding()
    precision: str | None = None


def between(
    generator: VideoGenerator,
    first: Latents,
    second: Latents,
    *,
    space: Space = "phi",
    how: How | None = None,
    truncation: float = 1.0,
) -> Between:
    """The videos between two videos of one generator.

        way = between(G, G.sample_latents(1, seed=0), G.sample_latents(1, seed=1), space="z")
        frames = way(0.5)(torch.arange(16))

    Args:
        space: phi: INR weights, with motion and label; z: content alone, with the first one's motion; w: the styles
            that the mapping network makes of the content; motion: motion alone, with the first one's content; all:
            content, motion and label.
        how: linear, or along the sphere, for what is N(0, 1); default: spherical for z, motion and all.

    Raises:
        InrvidError: spherical in φ or w; z or all of latents with styles of their own; truncation, as for
            `VideoGenerator.inr`.
    """
    how = how or ("spherical" if space in GAUSSIAN else "linear")
    if how == "spherical" and space not in GAUSSIAN:
        raise InrvidError(f"--how spherical: {space} is not Gaussian: linear, or one of {', '.join(GAUSSIAN)}")
    if space in ("z", "all") and not (first.ws is None and second.ws is None):
        raise InrvidError(f"--space {space}: latents with styles of their own have no z: w, phi or motion")
    with torch.no_grad():
        if space == "phi":
            one, other = generator.inr(first, truncation), generator.inr(second, truncation)
            return lambda weight: one.lerp(other, weight)
        if space == "w":
            styles = [generator.styles(latents, truncation) for latents in (first, second)]
            return lambda weight: generator.inr_of_ws(styles[0].lerp(styles[1], weight), first.motion, first.label)
    return lambda weight: generator.inr(_mixed(first, second, weight, space, how), truncation)


def _mixed(first: Latents, second: Latents, weight: float, space: Space, how: How) -> Latents:
    content, motion, label = first.content, first.motion, first.label
    if space in ("z", "all"):
        content = (slerp if how == "spherical" else torch.lerp)(content, second.content, weight)
    if space in ("motion", "all"):
        motion = _mixed_motion(motion, second.motion, weight, how)
    if space == "all":
        label = label.lerp(second.label, weight)
    return dataclasses.replace(first, content=content, motion=motion, label=label)


def _mixed_motion(first: Noise, second: Noise, weight: float, how: How) -> Noise:
    if isinstance(first, NoiseSequence) and isinstance(second, NoiseSequence):
        return first.slerp(second, weight) if how == "spherical" else first.lerp(second, weight)
    assert isinstance(first, Tensor)
    assert isinstance(second, Tensor)
    return slerp(first, second, weight) if how == "spherical" else first.lerp(second, weight)


@torch.no_grad()
def frames_between(way: Between, t: Tensor, grid: Grid) -> Iterator[np.ndarray]:
    """Frame i of T at λ = i/(T − 1) and time t[i], of t `[T]`: uint8 `[1, H, W, 3]` each."""
    for weight, time in zip(torch.linspace(0, 1, len(t)).tolist(), t, strict=True):
        yield to_uint8(way(weight)(time[None], grid))[0]


@torch.no_grad()
def table_between(way: Between, t: Tensor, grid: Grid, rows: int) -> np.ndarray:
    """One row for each of `rows` values of λ from 0 to 1, one column per time of t `[T]`: uint8 `[rows·H, T·W, 3]`."""
    videos = [draw(way(weight), t, grid) for weight in torch.linspace(0, 1, rows).tolist()]
    return strip(np.stack(videos), rows=rows, columns=len(t))


def end(generator: VideoGenerator, said: str, label: int | str | None = None) -> Latents:
    """Latents of one video: of a seed, '7', or a file of latents. Raises InrvidError if it has none, or several."""
    if _is_seed(said):
        return generator.sample_latents(1, seed=int(said), label=class_number(generator, label))
    latents = read_latents(said, generator)
    if len(latents) > 1:
        raise InrvidError(f"{said}: {len(latents)} videos: a way goes between two; save one by itself")
    return latents


def _is_seed(said: str) -> bool:
    return bool(re.fullmatch(r"-?[0-9]{1,18}", said))


def _check_useful(request: Request, picture: bool, ends: Sequence[str]) -> None:
    """Raises InrvidError that names an option if it would do nothing."""
    of_files = {name: value is not None and value is not False for name, value in request.encoding}
    of_pictures = {"rows": request.rows is not None, "columns": request.columns is not None}
    for name, given in (of_files if picture else of_pictures).items():
        if given:
            raise InrvidError(f"--{name}: only for {'a video: leave it out' if picture else 'a picture: -o NAME.png'}")
    if request.label is not None and not any(map(_is_seed, ends)):
        raise InrvidError("--label: only for seeds: files of latents have labels of their own")


def _check_memory(grid: Grid, enlarged: int, frames: int, wanted: str) -> None:
    """Raises InrvidError if memory is too small: a picture's frames are there twice, alone and in their places."""
    needed = grid.height * grid.width * 3 * 2 * (frames * enlarged**2 + 4 * frames_at_once(grid))
    check_memory(needed, f"{frames} frames of {enlarged * grid.height}x{enlarged * grid.width}", wanted)


def interpolate_videos(
    model: str | Path, first: str, second: str, output: Path, request: Request, *, cpu: bool = False,
    progress: Progress = lambda done, of: None,
) -> None:  # fmt: skip
    """Write a video or, if `output` ends in .png, a picture. `first` and `second`: seeds, or files of latents.

    Raises:
        InrvidError: no such model or latents, or a request that the model cannot fulfil.
    """
    picture = output.suffix.lower() in (".png", ".jpg")
    _check_useful(request, picture, [first, second])
    if not picture:
        check_path(output, request.encoding)
    generator = open_model(model, precision=request.precision, cpu=cpu)
    ends = [end(generator, said, request.label) for said in (first, second)]
    grid, t = request.grid_of(generator), request.times(generator)
    if picture:
        columns = request.columns or (COLUMNS if request.at is None else 1)  # at one time, columns are all alike
        t = t[torch.linspace(0, len(t) - 1, min(columns, len(t))).round().long()]
    _check_memory(grid, request.enlarge, *(((request.rows or ROWS) * len(t), "picture") if picture else (1, "video")))
    way = between(generator, *ends, space=request.space, how=request.how, truncation=request.truncation)
    t = t if request.at is None else torch.full_like(t, request.at)
    for weight in (0.0, 1.0):
        check_times(way(weight), t)
    rate, rows, columns = request.rate(generator), *((request.rows or ROWS, len(t)) if picture else (1, 1))
    size = rows * grid.height * request.enlarge, columns * grid.width * request.enlarge
    check_video(output, rate, 1 if picture else len(t), request.encoding, size)
    if picture:
        write_image(output, enlarge(table_between(way, t, grid, rows), request.enlarge))
        return
    encoding = request.encoding.model_copy(update={"fragmented": True})
    with writing(output, rate, len(t), encoding) as write, behind(write) as put:
        for done, frame in enumerate(frames_between(way, t, grid), 1):
            put(enlarge(frame, request.enlarge))
            progress(done, len(t))
