"""Prediction of frames of a video file from some of its others, compared with the file's own."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import InrvidError
from .model import open_model
from .perceptual import AUTO, open_distance
from .predict import MODEL, Prediction, Score, numbers, predict
from .project import without_networks
from .projection.search import SearchOptions
from .similarity import WINDOW
from .targets import MOST_FRAMES, Target, open_target, read_frames, times_of

STATE = "search.state"
"""File in the folder that holds the search's state until it is done."""


@dataclasses.dataclass(frozen=True)
class VideoPrediction:
    """A prediction of one video, beside the video itself.

    Attributes:
        given: uint8 `[n, H, W, 3]`.
        truth: uint8 `[T, H, W, 3]` at the predicted times; black where the video has ended.
        there: at which of these times it has not ended.
        fps: frames a second of the video, by which its frames are numbered.
        said: which distance was minimised, in words.
    """

    prediction: Prediction
    given: np.ndarray
    truth: np.ndarray
    there: list[bool]
    fps: float
    said: str

    @property
    def scores(self) -> dict[str, dict[str, Score]]:
        """Empty where pictures are smaller than SSIM's window."""
        small = min(self.truth.shape[1:3]) < WINDOW
        return {} if small else self.prediction.scores(self.truth[None], self.there)

    @property
    def reproduced(self) -> Score | None:
        """How well the latents found give the given frames: where they do not, the search is at fault, not the motion.
        None where pictures are smaller than SSIM's window."""
        small = min(self.given.shape[1:3]) < WINDOW
        return None if small else Score.of(self.prediction.projected, self.given[None])

    def numbers(self) -> dict[str, Any]:
        """For programs."""
        found, reproduced = self.prediction, self.reproduced
        return {
            "given": found.given,
            "predicted": found.times,
            "places": found.places,
            "known": self.there,
            "distance": self.said,
            "reproduced": None if reproduced is None else dataclasses.asdict(reproduced),
            "scores": numbers(self.scores),
        }

    def all_times(self) -> list[float]:
        return sorted([*self.prediction.given, *self.prediction.times])

    def at_all_times(self, method: str | None = None) -> tuple[np.ndarray, list[bool]]:
        """Frames in order of time, uint8 `[n + T, H, W, 3]`, and which of them there are: those of a method (None: the
        truth) and, at the given times, the given ones; for the model, its projection of these."""
        found = self.prediction
        frames = self.truth if method is None else found.frames[method][0]
        known = self.there if method is None else found.known[method]
        order = np.argsort([*found.given, *found.times])
        there = [*[True] * len(found.given), *known]
        given = found.projected[0] if method == MODEL else self.given
        return np.concatenate([given, frames])[order], [there[i] for i in order]


def predict_video(
    model: str | Path,
    video: str | Path,
    given: Sequence[int],
    predicted: Sequence[int] | None = None,
    options: SearchOptions | None = None,
    *,
    first: int = 0,
    rule: str = "center_crop",
    distance: str = AUTO,
    line: bool = True,
    precision: str | None = None,
    cpu: bool = False,
    folder: Path | None = None,
    said: Callable[[str], None] = lambda line: None,
    progress: Callable[[int, int, float], None] | None = None,
) -> VideoPrediction:
    """Predict frames of a video from some of its others.

    Args:
        given, predicted: numbers of frames, counted from frame `first`; default of those predicted: all others of a
            training clip.
        folder: where the search is saved as it goes, and resumed from; None: nowhere.

    Raises:
        InrvidError: no such model or video, or frames that it does not have.
    """
    generator = open_model(model, precision=precision, cpu=cpu)
    target = open_target(video, generator.resolution, rule=rule)
    if target.rate is None:
        raise InrvidError(f"{video}: a photograph has no other frames: inrvid project finds its latents")
    given = sorted({*given})
    wanted = _others(given, round(generator.clip_length / generator.fps * target.rate), predicted)
    pictures = read_frames(target, [first + number for number in given], "--given")
    truth, there = _truth(target, [first + number for number in wanted])
    t = times_of(target, [*given, *wanted], generator.fps).tolist()
    chosen = open_distance(distance, side=generator.resolution)
    given_of = f"{len(given)} of {len(given) + len(wanted)} frames given"
    said(f"{given_of}; distance: {chosen.said}{without_networks(chosen, distance)}")
    found = predict(
        generator, pictures[None], t[: len(given)], t[len(given) :], options, distance=chosen, line=line,
        state=folder and folder / STATE, progress=progress,
    )  # fmt: skip
    return VideoPrediction(found, pictures, truth, there, target.rate, chosen.said)


def _others(given: Sequence[int], clip: int, predicted: Sequence[int] | None) -> list[int]:
    """Numbers of the frames to predict. Raises InrvidError: none are left."""
    wanted = sorted({*(range(clip) if predicted is None else predicted)} - {*given})
    if not wanted or not given or len(wanted) > MOST_FRAMES:
        raise InrvidError("--given, --predict: some frames are given, and others predicted")
    return wanted


def _truth(target: Target, wanted: Sequence[int]) -> tuple[np.ndarray, list[bool]]:
    """The wanted frames, black where the video has none, and which of them it has."""
    there = [0 <= number < target.length for number in wanted]
    frames = target.read([number if known else 0 for number, known in zip(wanted, there, strict=True)])
    return np.where(np.array(there)[:, None, None, None], frames, 0).astype(np.uint8), there


def remove_states(folder: Path) -> None:
    """Remove the states of searches that are done."""
    for path in (folder / STATE, folder / f"{STATE}.alone"):
        path.unlink(missing_ok=True)
