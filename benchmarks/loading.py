"""Evaluation (features and scores of the metrics) and data loading (clips a second)."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import torch

from inrvid.data.base import VideoDataset
from inrvid.data.clips import Clips, loader
from inrvid.data.convert import convert
from inrvid.data.memory import InMemory
from inrvid.data.open import detect, open_dataset
from inrvid.errors import InrvidError
from inrvid.evaluation.detectors.base import Detector
from inrvid.recipe.schema import Recipe, load_recipe
from inrvid.registry import registry
from inrvid.video_io import write_video

from .harness import Measured, measure
from .plan import Plan
from .results import Case, Seconds

CLIPS = 4
"""Whose features are taken at once."""

SCORED = 256
"""Clips a set, when their features are compared."""
WIDTH = 400
"""Features a clip then."""

VIDEOS, FRAMES = 8, 32
"""Of the temporary data set, and of each of its videos."""

BATCH, BATCHES = 16, 8
"""Clips a batch, and batches a sample: the loader's head start is spent in the first."""


def evaluation_cases(plan: Plan) -> Iterator[Case]:
    """On the CPU, in float32: features by detectors whose weights are here, and scores of features as wide as I3D's."""
    for recipe in map(load_recipe, plan.recipes):
        for name in registry("detectors").names():
            with contextlib.suppress(InrvidError):  # its weights are not here
                yield _detector_case(name, registry("detectors").build({"type": name}), recipe, plan)
    for name in registry("metrics").names():
        yield _metric_case(name, plan)


def _detector_case(name: str, detector: Detector, recipe: Recipe, plan: Plan) -> Case:
    side, length = recipe.generator.resolution, recipe.generator.clip_length
    generator = torch.Generator().manual_seed(0)
    frames = torch.empty(CLIPS, length, 3, side, side).uniform_(-1, 1, generator=generator)
    found = measure({"features": lambda: detector.features(frames)}, plan.stopwatch, plan.budget)
    return _case("evaluation", name, f"features, {length} frames {side}²", found, "features", CLIPS)


def _metric_case(name: str, plan: Plan) -> Case:
    metric, parts = registry("metrics").build({"type": name, "detector": {"type": "random"}}), {"": slice(None)}
    real, fake = (torch.randn(SCORED, WIDTH, dtype=torch.float64) for _ in range(2))
    found = measure({"score": lambda: metric.score(real, fake, parts)}, plan.stopwatch, plan.budget)
    return _case("evaluation", name, f"score, {SCORED} clips, {WIDTH} features", found, "score")


def data_cases(plan: Plan) -> Iterator[Case]:
    """What a recipe's trainer would be fed, from a small data set in three forms."""
    for recipe in map(load_recipe, plan.recipes):
        if not plan.trains(recipe.generator.resolution):
            continue
        with tempfile.TemporaryDirectory(prefix="inrvid-bench-") as folder:
            for form, dataset in written(Path(folder), recipe.generator.resolution, recipe.generator.clip_length):
                yield _loading_case(form, dataset, recipe, plan)


def written(folder: Path, side: int, clip_length: int) -> Iterator[tuple[str, VideoDataset]]:
    """Procedural landscapes as a folder of H.264 files, a zip of JPEG frames, and in memory."""
    drawn = open_dataset({"type": "procedural", "videos": VIDEOS, "frames": FRAMES, "resolution": side})
    keys: dict[str, Any] = {"resolution": side, "clip_length": clip_length, "in_memory": False}
    videos, archive = folder / "videos", folder / "frames.zip"
    videos.mkdir()
    for i in range(VIDEOS):
        write_video(videos / f"{i:03d}.mp4", drawn.read(i, range(FRAMES)), drawn.fps)
    of_files = open_dataset({"type": detect(videos), "path": str(videos), **keys})
    yield "H.264 files", of_files
    convert(of_files, archive)
    yield "zip of JPEGs", open_dataset({"type": detect(archive), "path": str(archive), **keys})
    yield "in memory", InMemory(of_files)


def _loading_case(form: str, dataset: VideoDataset, recipe: Recipe, plan: Plan) -> Case:
    sampler = registry("time_samplers").build(recipe.time_sampler)
    clips = Clips(dataset, sampler, seed=0)
    side = recipe.generator.resolution
    with closing(loader(clips, range(BATCH), workers="auto")) as batches:  # type: ignore[type-var]
        found = measure({"clips": lambda: next(batches)}, plan.stopwatch, plan.budget, calls=BATCHES)
    return _case("data", recipe.name, f"{form}, {sampler.frames} frames {side}²", found, "clips", BATCH)


def _case(group: str, subject: str, what: str, found: Measured, name: str, clips: int = 0) -> Case:
    values: dict[str, Any] = {"group": group, "subject": subject, "what": what, "precision": "fp32"}
    if name in found.errors:
        return Case(**values, error=found.errors[name])
    seconds = Seconds.of(found.samples[name])
    return Case(**values, seconds=seconds, rates={"clips/s": clips / seconds.median} if clips else {})
