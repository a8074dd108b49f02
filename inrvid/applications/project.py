"""From given frames to latents: a photograph, some frames of a video, or a whole clip."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ..errors import InrvidError
from ..generators.base import VideoGenerator
from ..latents import Latents
from ..video_io import to_uint8
from .model import open_model
from .perceptual import AUTO, Distance, open_distance
from .projection.search import Found, SearchOptions, search
from .similarity import WINDOW, psnr, ssim
from .targets import Target, as_model, check_levels, open_target, read_frames, times_of

SUFFIX, STATE = ".safetensors", ".state"
"""Suffix of the file of latents; and what is added to its name for the search's state."""


@dataclasses.dataclass(frozen=True)
class Projection:
    """Frames, and what a model makes of them.

    Attributes:
        latents: of one video.
        target, drawn: uint8 `[T, H, W, 3]`.
        times: of the frames, in frames at the model's rate.
        distances: of all starts; `start` is the number of the one that is kept.
        said: which distance it is, in words.
    """

    latents: Latents
    target: np.ndarray
    drawn: np.ndarray
    times: list[float]
    distances: list[float]
    start: int
    said: str

    @property
    def psnr(self) -> list[float]:
        return psnr(self.drawn, self.target).tolist()

    @property
    def ssim(self) -> list[float] | None:
        """None if the pictures are smaller than its window."""
        return None if min(self.target.shape[1:3]) < WINDOW else ssim(self.drawn, self.target).tolist()

    def numbers(self) -> dict[str, Any]:
        """For programs."""
        return {
            "times": self.times,
            "distance": {"of": self.said, "best": self.distances[self.start], "starts": self.distances},
            "start": self.start,
            "psnr": self.psnr,
            "ssim": self.ssim,
        }


def project(
    generator: VideoGenerator,
    frames: np.ndarray,
    times: Sequence[float],
    options: SearchOptions | None = None,
    *,
    distance: Distance | None = None,
    state: Path | None = None,
    progress: Callable[[int, int, float], None] | None = None,
) -> Projection:
    """The latents whose video shows these frames at these times.

    `G.inr(project(G, frames, [6, 7, 8]).latents)(torch.arange(16.))` is the whole video.

    Args:
        frames: uint8 `[T, H, W, 3]`, at the model's size.
        times: in frames at the model's rate.
        distance, state, progress: as `projection.search` takes them; default of the distance: `open_distance()`.

    Raises:
        InrvidError: frames of another size, no such label, motion noise that cannot be searched for.
    """
    check_levels(frames, "T, H, W, 3")
    generator.eval()
    distance = (distance or open_distance(side=generator.resolution)).to(generator.device)
    t = torch.tensor(times, dtype=torch.float64)
    found = search(
        generator, as_model(frames)[None], t, distance, options or SearchOptions(), state=state, progress=progress
    )
    return _projection(generator, found, frames, t, distance)


@torch.no_grad()
def _projection(
    generator: VideoGenerator, found: Found, frames: np.ndarray, t: torch.Tensor, distance: Distance
) -> Projection:
    drawn = np.concatenate([to_uint8(some)[0] for some in generator.inr(found.latents).stream(t)])
    distances, start = found.all_distances[:, 0].tolist(), int(found.starts[0])
    return Projection(found.latents, frames, drawn, t.tolist(), distances, start, distance.said)


def check_latents_path(output: Path) -> None:
    """Raises InrvidError: not the name of a file of latents."""
    if output.suffix != SUFFIX:
        raise InrvidError(f"-o {output}: expected a name that ends in {SUFFIX}")


def project_file(
    model: str | Path,
    target: str | Path,
    output: Path,
    options: SearchOptions,
    *,
    frames: Sequence[int] | None = None,
    times: Sequence[float] | None = None,
    first: int = 0,
    rule: str = "center_crop",
    distance: str = AUTO,
    precision: str | None = None,
    cpu: bool = False,
    said: Callable[[str], None] = lambda line: None,
    progress: Callable[[int, int, float], None] | None = None,
) -> Projection:
    """Write the latents of a target's frames to `output`, which `Latents.load` reads.

    Args:
        frames: numbers, counted from frame `first`; default: those of a training clip's length.
        times: theirs, in frames at the model's rate; default: what the numbers and the rates give.
        said: called with lines for people.

    Raises:
        InrvidError: no such model or target, or a request that does not fit them. Nothing is written.
        OSError: the file cannot be written.
    """
    check_latents_path(output)
    generator = open_model(model, precision=precision, cpu=cpu)
    source = open_target(target, generator.resolution, rule=rule)
    numbers = list(frames) if frames is not None else _first_clip(generator, source, first)
    pictures = read_frames(source, [first + number for number in numbers], str(target))
    if times is not None and len(times) != len(numbers):
        raise InrvidError(f"--times: {len(times)} times of {len(numbers)} frames")
    t = times_of(source, numbers, generator.fps).tolist() if times is None else list(times)
    chosen = open_distance(distance, side=generator.resolution)
    said(f"{len(numbers)} frame{'s' * (len(numbers) > 1)}; distance: {chosen.said}{without_networks(chosen, distance)}")
    state = output.with_name(output.name + STATE)
    found = project(generator, pictures, t, options, distance=chosen, state=state, progress=progress)
    found.latents.save(output)
    state.unlink(missing_ok=True)
    return found


def without_networks(chosen: Distance, asked: str) -> str:
    """What to say where no network's weights were found."""
    if asked != AUTO or chosen.name != "pixels":
        return ""
    return " (no network's weights are here: inrvid detectors fetch vgg16)"


def _first_clip(generator: VideoGenerator, source: Target, first: int) -> list[int]:
    """Numbers of the frames, from `first` on, that together last as long as a training clip."""
    seconds = generator.clip_length / generator.fps
    count = 1 if source.rate is None else max(1, round(seconds * source.rate))
    return list(range(max(1, min(count, source.length - first))))
