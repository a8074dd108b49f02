"""What an analysis finds: plain data, of which a page can be made, or a JSON file."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ...errors import InrvidError

Points = Sequence[tuple[float, float | None]]
"""(x, y) of a line; y None: there is no value."""


@dataclasses.dataclass(frozen=True)
class Finding:
    """What was found.

    Attributes:
        title: what was looked at.
        about: how to read it, and where it comes from.
        charts: lines by name, of each chart by its caption.
        pictures: uint8 `[H, W, 3]`, by name.
        numbers: plain data.
    """

    title: str
    about: str
    charts: Mapping[str, Mapping[str, Points]] = dataclasses.field(default_factory=dict)
    pictures: Mapping[str, np.ndarray] = dataclasses.field(default_factory=dict)
    numbers: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    def as_data(self) -> dict[str, Any]:
        """Everything but the pictures, for JSON."""
        charts = {
            caption: {name: [list(p) for p in line] for name, line in c.items()} for caption, c in self.charts.items()
        }
        return {"title": self.title, "about": self.about, "numbers": dict(self.numbers), "charts": charts}


class NotPossible(InrvidError):
    """Why a model has no such analysis, in one line."""


def line(xs: Sequence[float], ys: Sequence[float]) -> Points:
    """Points of two sequences, rounded to as many digits as anybody reads."""
    return [(round(float(x), 6), round(float(y), 6)) for x, y in zip(xs, ys, strict=True)]


def heat(values: np.ndarray) -> np.ndarray:
    """`[...]` in [0, 1] → uint8 `[..., 3]`: from black through red and yellow to white."""
    ramp = np.stack([3 * values, 3 * values - 1, 3 * values - 2], axis=-1)
    return (ramp.clip(0, 1) * 255).astype(np.uint8)
