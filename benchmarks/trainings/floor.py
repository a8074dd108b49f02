"""The data's own score: videos of their training part, scored as a model's are."""

from __future__ import annotations

import re
from pathlib import Path

from inrvid import load_recipe
from inrvid.data.base import VideoDataset
from inrvid.data.open import open_dataset
from inrvid.errors import InrvidError
from inrvid.packages import missing
from inrvid.video_io import Encoding, write_video

from .plan import DATA, Plan
from .run import evaluate

WRITTEN = re.compile(r"[0-9]{4,}\.mp4")
"""Names of the videos that are written."""


class Unsuitable(InrvidError):
    """Data, or a folder for them, with which there is nothing to compare trainings by."""


def score_data(plan: Plan, out: Path, *, gpu: bool) -> None:
    """Write data.json, if it is not there.

    Raises:
        Unsuitable: no video is long enough, or files that are not of a comparison are in the way.
        InrvidError: a command has failed.
    """
    record = out / f"{DATA}.json"
    if not record.exists():
        folder = out / DATA
        _write_videos(plan, folder)
        evaluate(plan, "clips", folder, record, gpu=gpu)


def _write_videos(plan: Plan, folder: Path) -> None:
    """As many clips as are scored, of as many videos as there are, losing nothing."""
    here = [system for system in plan.all_systems if not missing(system.packages)]
    if not here:
        raise InrvidError("no system's packages are installed, so that the videos' size is not known")
    data = load_recipe(here[0].recipe, [*plan.set, *here[0].set]).data
    videos = open_dataset({**data.model_dump(), **plan.own})
    chosen = clips(videos, plan.frames, plan.clips)
    if not chosen:
        raise Unsuitable(f"own: none of {len(videos)} videos has {plan.frames} frames: give longer ones, or frames")
    folder.mkdir(parents=True, exist_ok=True)
    for earlier in folder.iterdir():  # of a run that ended half way, perhaps of other videos
        if not WRITTEN.fullmatch(earlier.name):
            raise Unsuitable(f"{folder}: has files that are not of a comparison ({earlier.name}): give another --out")
        earlier.unlink()
    for number, (video, start) in enumerate(chosen):
        frames = videos.read(video, range(start, start + plan.frames))
        write_video(folder / f"{number:04d}.mp4", frames, videos.rate(video), Encoding(lossless=True))


def clips(videos: VideoDataset, frames: int, most: int) -> list[tuple[int, int]]:
    """(video, first frame) of clips that do not overlap, in equal steps through all of them."""
    starts = [(v, s) for v in range(len(videos)) for s in range(0, videos.length(v) - frames + 1, frames)]
    count = min(most, len(starts))
    return [starts[number * len(starts) // count] for number in range(count)]
