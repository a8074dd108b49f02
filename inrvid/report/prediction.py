"""A prediction as files: a table, a picture (time from left to right), videos, latents."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from rich.table import Table

from ..applications.predict import MODEL, PLACES, Score
from ..applications.predict_video import VideoPrediction
from ..files import write_text
from ..video_io import enlarge, write_image, write_video
from .captions import captioned, rows_of_frames
from .projection import below

FILES = ("prediction.json", "prediction.png", "prediction.mp4", "latents.safetensors", "beside.mp4")

COLUMNS = 24
"""Most frames that are shown."""

SIDE = 128
"""Videos of fewer pixels a side are enlarged to about this."""

LEGEND = "a blue bar: frames that were given; grey: nothing is known there"


def write_prediction(found: VideoPrediction, folder: Path) -> list[Path]:
    """Write `prediction.json`, `.png` and `.mp4` (the model's video), `latents.safetensors`, and `beside.mp4` (the
    truth beside it, if known at all times; else an older one is removed). Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    *paths, beside_it = [folder / name for name in FILES]
    write_text(paths[0], json.dumps(found.numbers(), indent=2))
    write_image(paths[1], picture(found))
    video, _ = found.at_all_times(MODEL)
    factor = max(1, round(SIDE / video.shape[1]))
    write_video(paths[2], enlarge(video, factor), found.fps)
    found.prediction.latents.save(paths[3])
    if all(found.there):
        truth, _ = found.at_all_times()
        beside = np.concatenate([truth, video], axis=2)
        paths.append(beside_it)
        write_video(paths[-1], enlarge(beside, factor), found.fps)
    else:
        beside_it.unlink(missing_ok=True)
    return paths


def picture(found: VideoPrediction) -> np.ndarray:
    """The truth and all methods, one below the other: uint8 `[H, W, 3]`."""
    times = found.all_times()
    shown = np.linspace(0, len(times) - 1, min(COLUMNS, len(times))).round().astype(int)
    rows = []
    for name in (None, *found.prediction.frames):
        frames, there = found.at_all_times(name)
        rows.append((name or "truth", frames[shown], [there[i] for i in shown]))
    given = [times[i] in found.prediction.given for i in shown]
    drawn = rows_of_frames(rows, [f"t = {times[i]:g}" for i in shown], given)
    return below(captioned([f"prediction by projection; {LEGEND}"]), drawn)


def table(scores: dict[str, dict[str, Score]]) -> Table:
    """SSIM and PSNR by method (rows) and place (columns), for a terminal."""
    places = [place for place in PLACES if any(place in of for of in scores.values())]
    shown = Table(box=None, pad_edge=False, header_style="bold")
    shown.add_column("")
    for place in places:
        shown.add_column(f"{place}: SSIM", justify="right")
        shown.add_column("PSNR, dB", justify="right")
    for method, of in scores.items():
        cells = [(f"{of[p].ssim:.4f}", f"{of[p].psnr:.2f}") if p in of else ("—", "—") for p in places]
        shown.add_row(method, *(text for pair in cells for text in pair))
    return shown
