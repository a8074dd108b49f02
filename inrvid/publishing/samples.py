"""Samples in a model's folder, each as a video of all side by side and as a picture with a row a video:

samples/seeds.{mp4,png}    seeds 0, 1, …, none selected, as long as a training clip
samples/long.{mp4,png}     the same seeds for longer, of a model whose videos have no end
samples/best.{mp4,png}     seeds that whoever packed it selected: their numbers are in config.json, `best_seeds`
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from ..applications.generate import video_of_seed
from ..errors import InrvidError
from ..generators.base import VideoGenerator
from ..motion.noise import NoiseSequence
from ..video_io import Encoding, enlarge, grid, strip, write_image, write_video

SEEDS, LONG, BEST = "samples/seeds", "samples/long", "samples/best"
LARGEST = 4096
"""Pixels of a grid of samples, a side: so many videos, or four."""
FRAMES = 128
"""Of a longer sample."""
MOST = 16
"""Videos of a grid."""
QUALITY = Encoding(crf=23)


def check_best(seeds: Sequence[int]) -> None:
    """Raises InrvidError: not seeds to be shown as the best."""
    if not 0 < len(seeds) <= MOST or len(set(seeds)) < len(seeds) or min(seeds) < 0:
        raise InrvidError(f"--best: 1 to {MOST} different seeds, from 0 on, got {', '.join(map(str, seeds))[:80]}")


def longer(generator: VideoGenerator) -> int:
    """Frames of a longer sample of a model whose videos have no end."""
    return max(FRAMES, generator.clip_length)


def write_samples(generator: VideoGenerator, target: Path, best: Sequence[int] = ()) -> None:
    """Into `target`; samples of an older model go."""
    side = generator.resolution
    first = range(max(4, min(MOST, (LARGEST // side) ** 2)) if side > 128 else MOST)
    endless = isinstance(generator.sample_latents(1).motion, NoiseSequence)
    _write(generator, target / SEEDS, first, generator.clip_length, columns=8)
    _write(generator, target / LONG, first if endless else (), longer(generator), columns=16)
    _write(generator, target / BEST, best, generator.clip_length, columns=8)


def _write(generator: VideoGenerator, path: Path, seeds: Sequence[int], frames: int, columns: int) -> None:
    video, picture = path.with_suffix(".mp4"), path.with_suffix(".png")
    if not seeds:
        video.unlink(missing_ok=True)
        picture.unlink(missing_ok=True)
        return
    t = torch.arange(frames, dtype=torch.float64)
    videos = np.stack([video_of_seed(generator, seed, t) for seed in seeds])
    factor = max(1, 96 // generator.resolution)
    write_video(video, enlarge(grid(videos), factor), generator.fps, QUALITY)
    write_image(picture, enlarge(strip(videos, rows=6, columns=columns), factor))
