"""The papers' own figures of speed and memory, with what was measured here that comes nearest."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable

from .results import Case, Result
from .text import memory, number, seconds


@dataclasses.dataclass(frozen=True)
class Figure:
    what: str
    published: str
    """With the hardware."""
    case: tuple[str, str, str]
    """Group, recipe, and how the case's `what` begins."""
    show: Callable[[Case], str | None]


def _time(case: Case) -> str | None:
    return None if case.seconds is None else seconds(case.seconds.median)


def _thousand_frames(case: Case) -> str | None:
    """Seconds a thousand frames shown to the discriminator, which both papers' lengths can be told in."""
    frames = re.search(r"× (\d+) frames", case.what)
    if "clips/s" not in case.rates or not frames:
        return None
    return f"{number(1000 / (case.rates['clips/s'] * int(frames[1])))} s"


def _peak(case: Case) -> str | None:
    return memory(case.memory["peak"]) if "peak" in case.memory else None


FIGURES = (
    *(
        Figure(
            f"DIGAN: a video of {frames} frames of 128×128",
            f"{published} s, Titan XP, float32",
            ("generation", "digan_ucf", f"1 × {frames} frames"),
            _time,
        )
        for frames, published in ((16, "0.069"), (32, "0.132"), (64, "0.260"))
    ),
    Figure(
        "DIGAN: memory to train with 4 clips a GPU (ours: above the loaded model)",
        "9.7 GB, float32",
        ("training", "digan_ucf", "full step, 4 "),
        _peak,
    ),
    Figure(
        "DIGAN: training, a thousand frames (theirs: with data loading)",
        "50,000 thousand frames (2 a clip) in at most 4.4 days on 4 V100, float32: at most 30.4 s on one GPU",
        ("training", "digan_ucf", "full step"),
        _thousand_frames,
    ),
    Figure(
        "StyleGAN-V at 256×256: training, a thousand frames (theirs: with data loading)",
        "25,000 thousand frames (3 a clip) in 2 days on 4 V100, float16 in 4 resolutions: 27.6 s on one GPU",
        ("training", "stylegan_v_ffs", "full step"),
        _thousand_frames,
    ),
)


def beside_papers(result: Result) -> list[list[str]]:
    """Rows (what, the paper, here) of the figures that have a counterpart among the result's cases."""
    rows = []
    for figure in FIGURES:
        group, recipe, beginning = figure.case
        found = []
        for case in result.cases:
            if (case.group, case.subject) == (group, recipe) and case.what.startswith(beginning):
                value = figure.show(case)
                found += [f"{_batch(case)}{case.precision} {value}"] if value else []
        if found:
            rows.append([figure.what, figure.published, "; ".join(found)])
    return rows


def _batch(case: Case) -> str:
    """'4 clips ' of a training's case."""
    _, comma, size = case.what.rpartition(", ")
    return f"{size.split(' ')[0]} clips " if comma else ""
