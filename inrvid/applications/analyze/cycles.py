"""When positional encodings of time return to where they were (StyleGAN-V, CVPR 2022, figure 9 and appendix B.3).

Waves of periods p_i are together as at the start when each of them is: after their common period. Their likeness to the
start after τ frames is the mean over i of cos(2πτ/p_i). The acyclic encoding with the same periods has other speeds and
phases between any two motion codes: it should not return at all.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ...coords.acyclic import AcyclicEncoding, Spacing, periods
from ...evaluation.detectors.diagnostics import autocorrelation
from ...generators.base import VideoGenerator
from ...latents import Latents
from ...motion.base import MotionHead
from .finding import Finding, NotPossible, Points, heat, line
from .motion_features import head_codes

AS_AT_THE_START = 0.99
"""Likeness from which waves count as having returned."""

STEP = 0.25
"""Frames between two evaluations of the likeness."""

DRAWN = 460
"""Points of a line, at most: a chart's width in pixels."""

SPACINGS: tuple[Spacing, ...] = ("log", "linear")


def cycles(generator: VideoGenerator, latents: Latents, frames: int | None = None) -> Finding:
    """Likeness over time, of plain waves with the periods of each encoding and of the encoding's own codes.

    Example:
        finding = cycles(generator, generator.sample_latents(1))

    Args:
        latents: of one video.
        frames: how far; default: a little more than twice the longest period.

    Raises:
        NotPossible: a motion without positional encodings of time.
    """
    heads = [(name, module) for name, module in generator.named_modules() if isinstance(module, MotionHead)]
    encodings = {name: m for name, head in heads for m in head.modules() if isinstance(m, AcyclicEncoding)}
    if not encodings:
        raise NotPossible("this model's motion has no positional encoding of time: there is no cycle to plot")
    frames = frames or math.ceil(2.2 * max(float(_periods(encoding).max()) for encoding in encodings.values()))
    codes = head_codes(generator, latents[0], torch.arange(frames, dtype=torch.float64))
    charts: dict[str, dict[str, Points]] = {}
    pictures: dict[str, np.ndarray] = {}
    numbers: dict[str, dict[str, Any]] = {}
    for place, encoding in encodings.items():
        chart, shown, numbers[place] = _of_encoding(_periods(encoding), codes[place][0])
        charts[f"{place}: likeness after τ frames"] = chart
        pictures |= {f"{place} {what}": picture for what, picture in shown.items()}
    about = (
        "When an encoding of time comes back (StyleGAN-V, figure 9): plain waves of these periods after their "
        "common period, spaced as powers of two (log: the release) or evenly (linear: the paper). The model's "
        "own codes, whose speeds and phases change at every motion code, should not. In the pictures time "
        "goes to the right, a row is one number of the code."
    )
    return Finding("Cycles of the encodings of time", about, charts, pictures, numbers)


def _of_encoding(period: Tensor, codes: Tensor) -> tuple[dict[str, Points], dict[str, np.ndarray], dict[str, Any]]:
    """(lines of the chart, pictures, numbers) of an encoding with these periods `[d]`, whose codes are `[T, n]`."""
    frames, shortest, longest = len(codes), float(period.min()), float(period.max())
    lines = {
        f"plain waves, {spacing}": likeness(periods(len(period), shortest, longest, spacing), frames)
        for spacing in SPACINGS
    }
    of_codes = autocorrelation(codes)
    chart = {name: _thinned(np.arange(len(y)) * STEP, y) for name, y in lines.items()}
    chart["this model's codes"] = _thinned(np.arange(1, len(of_codes) + 1), of_codes.numpy())
    waves = (2 * math.pi * torch.arange(frames) / period[:, None]).sin()
    pictures = {"codes": _waves(codes.mT.numpy()), "plain waves": _waves(waves.numpy())}
    numbers = {
        "periods": [round(shortest, 3), round(longest, 3)],
        "common_period": {name: common_period(y, shortest) for name, y in lines.items()},
        "codes_come_back": round(max(of_codes[int(shortest) :].tolist(), default=0.0), 4),
    }
    return chart, pictures, numbers


def _periods(encoding: AcyclicEncoding) -> Tensor:
    return 2 * math.pi / encoding.frequencies.double().cpu()


def likeness(period: Tensor, frames: int) -> np.ndarray:
    """Likeness of waves of these periods to themselves τ frames later, at τ = 0, `STEP`, …; 1: all as at the start."""
    tau = np.arange(0, frames, STEP)
    return np.cos(2 * np.pi * tau[:, None] / period.numpy()).mean(axis=1)


def common_period(values: np.ndarray, shortest: float) -> float | None:
    """The first τ beyond half the shortest period at which waves are as at the start; None if `values` has none."""
    first = int(shortest / 2 / STEP)
    back = np.flatnonzero(values[first:] >= AS_AT_THE_START)
    if not len(back):
        return None
    around = np.split(back, np.flatnonzero(np.diff(back) > 1) + 1)[0] + first
    return float(around[values[around].argmax()] * STEP)


def _thinned(xs: np.ndarray, ys: np.ndarray) -> Points:
    """A line through the largest of every few values, so that peaks stay."""
    few = -(-len(ys) // DRAWN)
    starts = range(0, len(ys), few)
    places = [start + int(ys[start : start + few].argmax()) for start in starts]
    return line(xs[places].tolist(), ys[places].tolist())


def _waves(rows: np.ndarray) -> np.ndarray:
    """`[numbers, T]` as a picture, each row scaled from its lowest to its highest value."""
    rows = rows[:, :: -(-rows.shape[1] // 1024)][:: -(-rows.shape[0] // 128)]
    low, high = rows.min(axis=1, keepdims=True), rows.max(axis=1, keepdims=True)
    return heat((rows - low) / np.maximum(high - low, 1e-12))
