"""The data's own score: videos of their training part, scored as a model's are."""

from __future__ import annotations

from pathlib import Path

from inrvid import load_recipe
from inrvid.data.open import open_dataset
from inrvid.errors import InrvidError
from inrvid.packages import missing
from inrvid.video_io import Encoding, write_video

from .plan import DATA, Plan
from .run import evaluate


def score_data(plan: Plan, out: Path, *, gpu: bool) -> None:
    """Write data.json, if it is not there. Raises InrvidError: a command has failed."""
    record = out / f"{DATA}.json"
    if not record.exists():
        folder = out / DATA
        _write_videos(plan, folder)
        evaluate(plan, "clips", folder, record, gpu=gpu)


def _write_videos(plan: Plan, folder: Path) -> None:
    """As many as are scored, losing nothing."""
    here = [system for system in plan.all_systems if not missing(system.packages)]
    if not here:
        raise InrvidError("no system's packages are installed, so that the videos' size is not known")
    recipe = load_recipe(here[0].recipe, [*plan.set, *here[0].set])
    own = {"resolution": recipe.data.resolution, "clip_length": recipe.data.clip_length, "videos": plan.clips}
    videos = open_dataset({"type": "procedural", **plan.data, "split": "train", **own})
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(len(videos)):
        frames = videos.read(number, range(videos.length(number)))
        write_video(folder / f"{number:04d}.mp4", frames, videos.rate(number), Encoding(lossless=True))
