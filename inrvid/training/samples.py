"""What a run shows of itself: real clips once, generated ones at intervals, as a video and as a picture."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from ..applications.generate import video_of_seed
from ..data.base import VideoDataset
from ..generators.base import VideoGenerator
from ..random import Draws
from ..video_io import enlarge, grid, strip, write_image, write_video

SMALL = 96
"""Frames of fewer pixels a side are enlarged to about this, so that a person sees something."""

REAL = "real"
"""Name of the files of real clips."""


def write_samples(
    generator: VideoGenerator, folder: Path, name: str, *, count: int, check: Callable[[], None] = lambda: None
) -> None:
    """Write `name`.mp4 and `name`.png of `count` videos, of seeds 0, 1, …: the same ones each time."""
    t = torch.arange(generator.clip_length, device=generator.device)
    videos = []
    for seed in range(count):
        check()
        videos.append(video_of_seed(generator, seed, t))
    show(np.stack(videos), folder, name, generator.fps)


def write_real(dataset: VideoDataset, folder: Path, *, count: int, seed: int) -> None:
    """Write real clips, as the discriminator's data are before the time sampler."""
    length = dataset.config.clip_length
    order = Draws.of_batch(seed, "shown videos", 0, [0]).uniform(len(dataset))[0].argsort().tolist()
    videos = [order[i % len(order)] for i in range(count)]
    draws = Draws.of_batch(seed, "shown clips", 0, range(count))
    starts = draws.integers(torch.tensor([dataset.length(video) - length + 1 for video in videos])).tolist()
    clips = [dataset.read(video, range(start, start + length)) for video, start in zip(videos, starts, strict=True)]
    show(np.stack(clips), folder, REAL, dataset.fps)


def show(videos: np.ndarray, folder: Path, name: str, fps: float) -> None:
    """Write `name`.mp4, a grid of the videos, and `name`.png, with one row per video."""
    factor = max(1, SMALL // max(videos.shape[2:4]))
    write_video(folder / f"{name}.mp4", enlarge(grid(videos), factor), fps)
    write_image(folder / f"{name}.png", enlarge(strip(videos), factor))
