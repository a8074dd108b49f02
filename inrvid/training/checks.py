"""Checks for what a machine lacks for a recipe, made before training rather than during it."""

from __future__ import annotations

import shutil
from collections.abc import Sequence

from ..data.base import VideoDataset
from ..data.clips import worker_count
from ..data.resize import sides
from ..errors import InrvidError
from ..recipe.schema import Recipe
from .checkpoint import bytes_needed, bytes_of_weights
from .keeping import checkpoints
from .processes.surroundings import check_memory, check_open_files, check_shared_memory
from .run import Run


def check_clips(recipe: Recipe) -> None:
    """Refuse clips that would not fit into memory: two of them as float32, and the grid of samples."""
    height, width = sides(recipe.data.resolution)
    clip = recipe.generator.clip_length * height * width * 3
    check_memory("generator.resolution, generator.clip_length", 2 * 4 * clip)
    check_memory("train.sample_videos", 2 * recipe.train.sample_videos * clip)


def check_loader(recipe: Recipe, dataset: VideoDataset, samples: Sequence[Sequence[int]], processes: int) -> None:
    """Refuse a training that the machine's limits would end; `samples`: this process's, by micro-batch."""
    workers = worker_count(dataset, recipe.data.workers, processes)
    check_open_files(workers)
    height, width = sides(recipe.data.resolution)
    frames = recipe.discriminator.frames * height * width * 3
    check_shared_memory(sum(len(part) for part in samples) * frames, workers)
    check_memory("train.batch_size", 2 * 4 * len(samples[0]) * frames)  # real and generated ones, at least


def check_space(run: Run) -> None:
    """Refuse a training that could not save: it needs room for the checkpoints kept at once, one being written, and
    the model beside them."""
    if not run.is_main:
        return
    there = len(checkpoints(run.run_dir / "checkpoints"))
    kept = run.recipe.train.keep_last + (run.recipe.train.keep_best is not None)
    needed = max(1, kept + 1 - there) * bytes_needed(run.training)
    if not (run.run_dir / "model").exists():
        needed += bytes_of_weights(run.training)
    free = shutil.disk_usage(run.run_dir).free
    if free < needed:
        raise InrvidError(
            f"{run.run_dir}: checkpoints need {needed / 2**20:.0f} MiB, {free / 2**20:.0f} MiB are free: "
            "make room, or give a --run-dir on another disk"
        )
