"""Numbers that change during training, as functions of the clips seen: a resumed run needs no state."""

from __future__ import annotations

import math

from pydantic import Field

from .config import NonNegative, StrictModel


class Cosine(StrictModel):
    """From `start` to `end` along half a cosine over the first `kclips` thousand clips (R3GAN, NeurIPS 2024)."""

    start: NonNegative = Field(description="value at the beginning")
    end: NonNegative = Field(description="value after kclips, and from then on")
    kclips: float = Field(ge=0.001, le=1e8, description="clips from start to end, in thousands")

    def at(self, clips: int) -> float:
        left = (1 + math.cos(math.pi * min(clips / (1000 * self.kclips), 1.0))) / 2
        return self.end + (self.start - self.end) * left


def value_at(value: float | Cosine, clips: int) -> float:
    """The value after this many clips."""
    return value.at(clips) if isinstance(value, Cosine) else value
