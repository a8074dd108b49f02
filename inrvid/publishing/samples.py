"""Samples in a model's folder, each as one video of all side by side and as a picture with one row per video:

samples/seeds.{mp4,png}    seeds 0, 1, …, none selected, as long as a training clip
samples/long.{mp4,png}     the same seeds for longer, of a model whose videos have no end
samples/best.{mp4,png}     seeds that whoever packed it selected: their numbers are in config.json, `best_seeds`

Pictures of large frames are .jpg.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import torch

from ..applications.generate import video_of_seed
from ..errors import InrvidError
from ..generators.base import VideoGenerator
from ..motion.noise import NoiseSequence
from ..video_io import Encoding, enlarge, grid, strip, write_image, write_video
from .about import MOST_BEST, are_best

SEEDS, LONG, BEST = "samples/seeds", "samples/long", "samples/best"
FRAMES = 128
"""Frames of a longer sample."""
ROWS = 6
"""Rows of a picture, at most; of the best, all are shown."""
BYTES = 2**30
"""Bytes of a grid's frames, by which the number of videos is chosen, from four to sixteen."""
QUALITY = Encoding(crf=23)
PICTURES = (".png", ".jpg")
LARGE = 128
"""Pictures of frames from this side on are JPEG: a third of the bytes. Smaller frames have few, sharp pixels."""


def check_best(seeds: Sequence[int]) -> None:
    """Raises InrvidError: not seeds to be shown as the best."""
    if not are_best(list(seeds)):
        told = ", ".join(map(str, seeds))[:80] or "none"
        raise InrvidError(f"--best: 1 to {MOST_BEST} different seeds, from 0 on, got {told}")


def longer(generator: VideoGenerator) -> int:
    """Frames of a longer sample of a model whose videos have no end."""
    return max(FRAMES, generator.clip_length)


def picture_of(folder: Path, samples: str) -> str:
    """The picture's path within the folder; empty where the samples are not there."""
    if not (folder / f"{samples}.mp4").is_file():
        return ""
    return next((f"{samples}{kind}" for kind in PICTURES if (folder / f"{samples}{kind}").is_file()), "")


def write_samples(generator: VideoGenerator, target: Path, best: Sequence[int] = ()) -> None:
    """Write the samples into `target`; those of an older model are removed."""
    clip, side = generator.clip_length, generator.resolution
    endless = isinstance(generator.sample_latents(1).motion, NoiseSequence)
    frames = longer(generator) if endless else clip
    count = max(4, min(16, BYTES // (frames * side * side * 3)))
    first = _videos(generator, range(count), frames)
    _write(target / SEEDS, generator, first[:, :clip], ROWS, columns=8)
    _write(target / LONG, generator, first if endless else None, ROWS, columns=16)
    _write(target / BEST, generator, _videos(generator, best, clip) if best else None, len(best), columns=8)


def _videos(generator: VideoGenerator, seeds: Iterable[int], frames: int) -> np.ndarray:
    t = torch.arange(frames, dtype=torch.float64)
    return np.stack([video_of_seed(generator, seed, t) for seed in seeds])


def _write(path: Path, generator: VideoGenerator, videos: np.ndarray | None, rows: int, columns: int) -> None:
    side, written = generator.resolution, set[Path]()
    if videos is not None:
        video, picture = path.with_suffix(".mp4"), path.with_suffix(".jpg" if side >= LARGE else ".png")
        factor = max(1, 96 // side)
        write_video(video, enlarge(grid(videos), factor), generator.fps, QUALITY)
        write_image(picture, enlarge(strip(videos, rows=rows, columns=columns), factor))
        written = {video, picture}
    for kind in (".mp4", *PICTURES):
        if (old := path.with_suffix(kind)) not in written:
            old.unlink(missing_ok=True)
