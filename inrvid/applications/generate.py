"""Videos from a saved model, written to files: streamed, so that memory does not grow with their length."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
from pydantic import Field, model_validator
from typing_extensions import Self

from ..errors import InrvidError
from ..generators.base import VideoGenerator
from ..video_io import Encoding, behind, check_path, check_video, enlarge, to_uint8, writing
from .drawing import Scene, check_memory, frames_at_once, pieces
from .model import open_model
from .options import at_most_one, sides
from .processes import Helpers
from .when import When, check_times
from .where import Where
from .who import Cast, Who

Progress = Callable[[int, int], None]
"""Called with (frames written, of how many in all)."""

MOST_CELLS = 1024
"""Videos in one picture, at most."""


class Request(When, Where, Who):
    """What to generate; the fields are the options of `inrvid generate`.

        request = Request.of(seconds=4.0, seed=3, zoom_out=1.5)
        for path in generate_videos("hub/digan_landscapes_32", Path("out.mp4"), request):
            print(path)

    A video is the same in whatever request it occurs, except for the times and the part of the plane asked for.
    """

    grid: bool = Field(False, description="all videos in one file, as a square")
    side_by_side: bool = Field(False, description="all videos in one file, in a row")
    content_motion_grid: str | None = Field(None, description="RxC: R contents in rows, C motions in columns")
    difference: bool = Field(False, description="two motions of one content, and the difference of their pixels")
    encoding: Encoding = Encoding()
    precision: str | None = None
    processes: Annotated[int, Field(ge=1, le=256)] = Field(1, description="that share the frames of each video")

    @model_validator(mode="after")
    def _one_arrangement(self) -> Self:
        at_most_one(
            grid=self.grid,
            side_by_side=self.side_by_side,
            content_motion_grid=self.content_motion_grid,
            difference=self.difference,
        )
        if self.content_motion_grid is not None or self.difference:
            name = "--difference" if self.difference else "--content-motion-grid"
            if self.videos is not None or self.same_content or self.same_motion:
                raise ValueError(f"{name} chooses the videos: leave out --videos, --same-content and --same-motion")
        return self

    def check_several(self, videos: int) -> None:
        """Raises InrvidError that names an option if it does nothing with a single video."""
        for name in ("same_content", "same_motion", "grid", "side_by_side"):
            if videos == 1 and getattr(self, name):
                raise InrvidError(f"--{name.replace('_', '-')}: needs several videos: give --videos N")

    @property
    def cells(self) -> list[tuple[int, int]] | None:
        """(content, motion) of each video, if the arrangement decides them. Raises InrvidError for an invalid grid."""
        if self.difference:
            return [(0, 0), (0, 1)]
        if self.content_motion_grid is None:
            return None
        rows, columns = sides(self.content_motion_grid) or (0, 0)
        if not 1 <= rows * columns <= MOST_CELLS:
            raise InrvidError(
                f"--content-motion-grid {self.content_motion_grid[:40]}: expected ROWSxCOLUMNS, such as 4x4, at most "
                f"{MOST_CELLS} videos"
            )
        return [(row, column) for row in range(rows) for column in range(columns)]


class Plan:
    """A request to a generator, worked out: how many files, what each shows, at which times, of what size.

    Raises:
        InrvidError: a request that the generator cannot fulfil.
    """

    def __init__(self, generator: VideoGenerator, request: Request):
        self.request, self.rate = request, request.rate(generator)
        self.area, self.times = request.grid_of(generator), request.times(generator)
        self.cast = Cast(generator, request, request.cells)
        request.check_several(len(self.cast))
        self.together = request.grid or request.side_by_side or request.cells is not None
        if self.together and len(self.cast) > MOST_CELLS:
            raise InrvidError(f"{len(self.cast)} videos in one picture: at most {MOST_CELLS}")
        scene = self[0]
        self.size = scene.size[0] * request.enlarge, scene.size[1] * request.enlarge
        _check_memory(scene, self.size)
        check_times(self.cast.inr(0), self.times)

    def __len__(self) -> int:
        """Number of files."""
        return 1 if self.together else len(self.cast)

    def __getitem__(self, number: int) -> Scene:
        if not self.together:
            return Scene(1, lambda _: self.cast.inr(number), self.area)
        shown = len(self.cast) + self.request.difference
        in_a_row = self.request.side_by_side or self.request.difference
        columns = shown if in_a_row else math.ceil(math.sqrt(shown))
        if self.request.content_motion_grid is not None:
            columns = (sides(self.request.content_motion_grid) or (1, 1))[1]
        return Scene(len(self.cast), self.cast.inr, self.area, columns=columns, difference=self.request.difference)


def generate_videos(
    model: str | Path,
    output: Path,
    request: Request,
    *,
    save_latents: Path | None = None,
    cpu: bool = False,
    progress: Progress = lambda done, of: None,
) -> Iterator[Path]:
    """Write the videos; yields the path of each file (or folder) as it is complete.

    Args:
        save_latents: where to write the videos' latents (without truncation), which `latents` of another request takes.
        cpu: do not use an accelerator.

    Raises:
        InrvidError: no such model, or a request that it cannot fulfil.
    """
    check_path(output, request.encoding)
    if save_latents is not None and save_latents.suffix.lower() != ".safetensors":
        raise InrvidError(f"--save-latents {save_latents}: latents are written as .safetensors")
    return _written(model, output, request, save_latents, cpu, progress)


def _written(
    model: str | Path, output: Path, request: Request, save_latents: Path | None, cpu: bool, progress: Progress
) -> Iterator[Path]:
    with _drawing(model, request, cpu) as (plan, frames_of):
        check_video(output, plan.rate, len(plan.times), request.encoding, plan.size)
        if save_latents is not None:
            plan.cast.save(save_latents)
        total, encoding = len(plan.times) * len(plan), request.encoding.model_copy(update={"fragmented": True})
        for number in range(len(plan)):
            path = output if len(plan) == 1 else _numbered(output, number)
            done = len(plan.times) * number
            with writing(path, plan.rate, len(plan.times), encoding) as write, behind(write) as put:
                for frames in frames_of(number):
                    put(enlarge(frames, request.enlarge))
                    done += len(frames)
                    progress(done, total)
            yield path


@contextmanager
def _drawing(
    model: str | Path, request: Request, cpu: bool
) -> Iterator[tuple[Plan, Callable[[int], Iterator[np.ndarray]]]]:
    """The plan, and what draws the frames of a file by number: this process, or several."""
    make = functools.partial(_plan, model, request, cpu)
    if request.processes == 1:
        plan = make()
        yield plan, lambda number: plan[number].stream(plan.times)
        return
    plan = _plan(model, request, cpu=True)  # the helpers have the accelerators
    with Helpers(request.processes, make) as helpers:
        yield plan, lambda number: helpers.draw(number, pieces(plan.times, plan.area))


@torch.no_grad()
def video_of_seed(generator: VideoGenerator, seed: int, t: torch.Tensor) -> np.ndarray:
    """The video of a seed, drawn alone, at times t `[T]` and the model's size: uint8 `[T, H, W, 3]`."""
    inr = generator.inr(generator.sample_latents(1, seed=seed))
    return np.concatenate([to_uint8(frames)[0] for frames in inr.stream(t)])


def _plan(model: str | Path, request: Request, cpu: bool) -> Plan:
    return Plan(open_model(model, precision=request.precision, cpu=cpu), request)


def _check_memory(scene: Scene, size: tuple[int, int]) -> None:
    """Raises InrvidError if the frames that are drawn at once, written in this size, would not fit."""
    height, width = size
    frames = frames_at_once(scene.grid)
    needed = frames * (4 * 3 * 2 * scene.grid.height * scene.grid.width + 3 * 4 * height * width)
    check_memory(needed, f"{frames} frames of {height}x{width} at a time", "video")


def _numbered(output: Path, index: int) -> Path:
    return output.with_name(f"{output.stem}_{index:03d}{output.suffix}")
