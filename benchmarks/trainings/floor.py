"""How far the data are from themselves: videos of their training part, scored as a model's are. No model is nearer."""

from __future__ import annotations

from pathlib import Path

from inrvid import load_recipe
from inrvid.data.open import open_dataset
from inrvid.packages import missing
from inrvid.video_io import Encoding, write_video

from .plan import Plan
from .run import evaluate

NAME = "data"
"""Of the record and the folder of videos, and what `--only` calls it by."""


def score_data(plan: Plan, out: Path, *, gpu: bool) -> None:
    """Write data.json, if it is not there. Raises InrvidError: a command has failed."""
    record = out / f"{NAME}.json"
    if not record.exists():
        folder = out / NAME
        _write_videos(plan, folder)
        evaluate(plan, "clips", folder, record, gpu=gpu)


def _write_videos(plan: Plan, folder: Path) -> None:
    """As many as are scored, losing nothing."""
    system = next(system for system in plan.all_systems if not missing([system.package]))
    recipe = load_recipe(system.recipe, [*plan.set, *system.set])
    own = {"resolution": recipe.data.resolution, "clip_length": recipe.data.clip_length, "videos": plan.clips}
    videos = open_dataset({"type": "procedural", **plan.data, "split": "train", **own})
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(len(videos)):
        frames = videos.read(number, range(videos.length(number)))
        write_video(folder / f"{number:04d}.mp4", frames, videos.rate(number), Encoding(lossless=True))
