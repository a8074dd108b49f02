"""`python -m benchmarks.prediction MODEL`: how well a model predicts frames of clips, as a table and JSON.

Clips are the model's own (of seeds that no search starts from), of which there are latents, or held-out procedural
ones, as real data. All are projected as one batch.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
import typer

from inrvid.applications.model import open_model
from inrvid.applications.perceptual import open_distance
from inrvid.applications.predict import numbers, predict
from inrvid.applications.projection.search import SearchOptions
from inrvid.applications.targets import parse_whole
from inrvid.cli import run
from inrvid.cli.progress import shown
from inrvid.data.open import open_dataset
from inrvid.files import write_text
from inrvid.generators.base import VideoGenerator
from inrvid.report.prediction import table
from inrvid.video_io import to_uint8

FIRST = 10**6
"""Seed of the first of a model's own clips: starts of searches have small ones."""


def bench(
    model: str,
    clips: str = typer.Option("own", metavar="own|procedural", help="The model's own, or held-out procedural ones."),
    count: int = typer.Option(16, min=1, help="Clips."),
    given: str = typer.Option("4,8,12", help="Frames that are given; all others of a clip are predicted."),
    steps: int = typer.Option(500, min=1),
    space: str = typer.Option("w+", metavar="w|w+"),
    distance: str = typer.Option("auto"),
    data: str = typer.Option("{}", metavar="JSON", help="Further keys of the procedural data."),
    output: Path = typer.Option(None, "-o", "--output", help="OUT.json"),
    cpu: bool = typer.Option(False, "--cpu"),
) -> None:
    """Predict frames from others, and score them beside simpler ways."""
    from rich.console import Console

    generator, start = open_model(model, cpu=cpu), time.monotonic()
    length, at = generator.clip_length, parse_whole(given, "--given")
    truth = _own(generator, count) if clips == "own" else _procedural(generator, count, json.loads(data))
    times = [t for t in range(length) if t not in at]
    chosen = open_distance(distance, side=generator.resolution)
    with shown("projecting", "steps") as progress:
        options = SearchOptions.of(steps=steps, space=space)
        found = predict(generator, truth[:, at], at, times, options, distance=chosen, progress=progress)
    scores = found.scores(truth[:, times])
    said: dict[str, Any] = {"model": Path(model).name, "clips": clips, "count": count, "given": at, "steps": steps}
    said |= {"space": space, "distance": chosen.said, "seconds": round(time.monotonic() - start)}
    Console().print(table(scores))
    if output is not None:
        write_text(output, json.dumps(said | {"scores": numbers(scores)}, indent=2))


@torch.no_grad()
def _own(generator: VideoGenerator, count: int) -> np.ndarray:
    t = torch.arange(generator.clip_length)
    seeds = range(FIRST, FIRST + count)
    return np.concatenate([to_uint8(generator.inr(generator.sample_latents(1, seed=seed))(t)) for seed in seeds])


def _procedural(generator: VideoGenerator, count: int, keys: dict[str, Any]) -> np.ndarray:
    length, side = generator.clip_length, generator.resolution
    sizes = {"resolution": side, "clip_length": length, "frames": length, "videos": count}
    dataset = open_dataset({"type": "procedural", "split": "test", **sizes, **keys})
    return np.stack([dataset.read(video, range(length)) for video in range(count)])


if __name__ == "__main__":
    app = typer.Typer(pretty_exceptions_enable=False)
    app.command()(bench)
    run(app)
