"""The generated clips that are nearest to a real one, to see whether they are copies.

They are found by features, which are all that an evaluation keeps; the frames that are shown are read again. The
metric `memorisation` is the number that goes with the picture.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ..errors import InrvidError
from ..video_io import to_uint8
from .clips import Clip, Source, Window
from .distances import nearest
from .evaluate import Evaluation, Seen, detector_name
from .features import Features
from .metrics.base import Metric

SHOWN = 8
"""Number of pairs that are shown, out of all generated clips."""


class Chosen(NamedTuple):
    """A clip of a source."""

    source: Source
    clip: Clip

    @property
    def title(self) -> str:
        return self.source.title(self.clip)

    def read(self, window: Window) -> np.ndarray:
        """Frames, uint8 `[T, H, W, 3]`."""
        found = self.source.read(window, [self.clip])
        if not len(found):
            raise InrvidError(f"{self.title}: its video can no longer be read")
        return to_uint8(found[0])


class Pair(NamedTuple):
    """A generated clip and the real one that is nearest to it."""

    distance: float
    fake: Chosen
    real: Chosen


@dataclasses.dataclass(frozen=True)
class NearestPairs:
    """Pairs, the nearest first.

    Attributes:
        clips: how many real and generated clips they were found among.
    """

    window: Window
    detector: str
    clips: tuple[int, int]
    pairs: Sequence[Pair]


def comparing(evaluation: Evaluation) -> Metric:
    """The metric whose features decide what is near: the one that measures nearest clips or, if there is none, the
    first that sees a clip as a whole.

    Raises:
        InrvidError: there is no such metric.
    """
    whole = [metric for metric in evaluation.metrics if not metric.window(evaluation.clip_length).singly]
    if not whole:
        raise InrvidError("--nearest compares clips as a whole, which none of these metrics does: --metrics fvd16")
    return next((metric for metric in whole if metric.nearest), whole[0])


def nearest_pairs(evaluation: Evaluation, seen: Seen, count: int = SHOWN) -> NearestPairs:
    """The nearest pairs of all runs, by the features of the metric that `comparing` finds.

    Distances are those of `distances.nearest`: 0 for a copy, 1 for a clip as far away as real ones are from each other.

    Raises:
        InrvidError: real clips are all the same; a clip can no longer be read.
    """
    metric = comparing(evaluation)
    window, detector = metric.window(evaluation.clip_length), detector_name(metric.config.detector)
    real, rows = seen.real[window], seen.real[window].by_detector[detector]
    of_real = _readable(evaluation.real.source, window, real)
    pairs: list[Pair] = []
    for subject, run in zip(evaluation.fakes, seen.runs, strict=True):
        of_fake = _readable(subject.source, window, run[window])
        found = nearest(rows, run[window].by_detector[detector])
        for row in found.distances.argsort(stable=True)[:count].tolist():
            near = Chosen(evaluation.real.source, of_real[int(found.samples[row])])
            pairs.append(Pair(found.distances[row].item(), Chosen(subject.source, of_fake[row]), near))
    pairs.sort(key=lambda pair: pair.distance)
    fakes = sum(len(run[window].by_detector[detector]) for run in seen.runs)
    return NearestPairs(window, detector, (len(rows), fakes), pairs[:count])


def _readable(source: Source, window: Window, features: Features) -> Sequence[Clip]:
    """The clip of each row of features. If some could not be decoded, all are read again, as rows do not say which."""
    if not features.unreadable:
        return features.clips
    return [clip for clip in features.clips if len(source.read(window, [clip]))]
