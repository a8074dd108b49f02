"""Frames that were not given: before, after and between those that were (DIGAN, ICLR 2022).

The given frames are projected to latents, whose video is evaluated at the other times. Beside it stand baselines that
need no video model: the nearest given frame, repeated; a blend of the two given frames around a time; and a line
between the latents of these two, each projected alone. The last two know nothing outside the given frames.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..errors import InrvidError
from ..generators.base import VideoGenerator
from ..latents import Latents
from ..video_io import to_uint8
from .perceptual import Distance, open_distance
from .projection.search import SearchOptions, search
from .similarity import psnr, ssim
from .targets import as_model, check_levels

MODEL, NEAREST, BLEND, LINE = "model", "nearest frame", "blend of frames", "line of latents"
METHODS = (MODEL, NEAREST, BLEND, LINE)

BACKWARD, BETWEEN, FORWARD = "backward", "between", "forward"
PLACES = (BACKWARD, BETWEEN, FORWARD)


@dataclasses.dataclass(frozen=True)
class Prediction:
    """Frames of V videos at times at which none was given.

    Attributes:
        latents: of the V videos.
        given, times: times of the frames that were given, and of those that were not, ascending.
        projected: what the latents give at the given times, uint8 `[V, n, H, W, 3]`.
        frames: by method, uint8 `[V, T, H, W, 3]`.
        known: by method, for which of the times it says anything.
    """

    latents: Latents
    given: list[float]
    times: list[float]
    projected: np.ndarray
    frames: dict[str, np.ndarray]
    known: dict[str, list[bool]]

    @property
    def places(self) -> list[str]:
        """Where each time lies: `BACKWARD`, `BETWEEN` or `FORWARD`."""
        low, high = self.given[0], self.given[-1]
        return [BACKWARD if t < low else FORWARD if t > high else BETWEEN for t in self.times]

    def scores(self, truth: np.ndarray, there: Sequence[bool] | None = None) -> dict[str, dict[str, Score]]:
        """By method and place, where there is anything to compare.

        Args:
            truth: uint8 `[V, T, H, W, 3]`.
            there: for which times the truth is known; default: for all.

        Raises:
            InrvidError: frames that are smaller than SSIM's window.
        """
        there = [True] * len(self.times) if there is None else there
        found: dict[str, dict[str, Score]] = {}
        for method in self.frames:
            for place in PLACES:
                chosen = [i for i, at in enumerate(self.places) if at == place and there[i] and self.known[method][i]]
                if chosen:
                    found.setdefault(method, {})[place] = Score.of(self.frames[method][:, chosen], truth[:, chosen])
        return found


@dataclasses.dataclass(frozen=True)
class Score:
    """Means over frames and videos; PSNR in dB."""

    ssim: float
    psnr: float
    frames: int

    @classmethod
    def of(cls, frames: np.ndarray, truth: np.ndarray) -> Score:
        """Compare frames with the truth, uint8 `[V, T, H, W, 3]` both."""
        ours, real = (x.reshape(-1, *x.shape[2:]) for x in (frames, truth))
        return cls(float(ssim(ours, real).mean()), float(psnr(ours, real).mean()), len(ours))


def predict(
    generator: VideoGenerator,
    given: np.ndarray,
    at: Sequence[float],
    times: Sequence[float],
    options: SearchOptions | None = None,
    *,
    distance: Distance | None = None,
    line: bool = True,
    state: Path | None = None,
    progress: Callable[[int, int, float], None] | None = None,
) -> Prediction:
    """Frames at `times` of V videos from those at the times `at`.

    Args:
        given: uint8 `[V, n, H, W, 3]`, at the model's size.
        at: times of the given frames, ascending, in frames at the model's rate.
        times: those that are asked for.
        line: whether to project frames each by itself, too, for the line of latents: a second search.
        state, progress: of the searches; the state of the second one is kept beside the first's (`.alone`).

    Raises:
        InrvidError: as `projection.search` does; no time but the given ones, or these do not ascend.
    """
    check_levels(given, "V, n, H, W, 3")
    generator.eval()
    options, at = options or SearchOptions(), [float(t) for t in at]
    times = sorted({float(t) for t in times} - {*at})
    if not times or at != sorted({*at}):
        raise InrvidError("given times must ascend, and at least one time to predict must not be given")
    distance = (distance or open_distance(side=generator.resolution)).to(generator.device)
    pictures, inside = as_model(given), [at[0] < t < at[-1] for t in times]
    found = search(generator, pictures, _t(at), distance, options, state=state, progress=progress)
    frames = {MODEL: _drawn(generator, found.latents, times), NEAREST: given[:, _nearest(at, times)]}
    frames[BLEND] = _blended(given, at, times)
    if line and any(inside):
        beside = state and state.with_name(f"{state.name}.alone")
        used = sorted({i for t, between in zip(times, inside, strict=True) if between for i in _around(at, t)[:2]})
        alone = search(
            generator,
            pictures[:, used].flatten(0, 1)[:, None],
            _t([0.0]),
            distance,
            _alone(options),
            state=beside,
            progress=progress,
        ).latents
        frames[LINE] = _between_latents(generator, alone, [at[i] for i in used], times)
    everywhere = [True] * len(times)
    known = {method: everywhere if method in (MODEL, NEAREST) else inside for method in frames}
    return Prediction(found.latents, at, times, _drawn(generator, found.latents, at), frames, known)


def _alone(options: SearchOptions) -> SearchOptions:
    """For frames alone: a single frame has no motion; all get the first start's, so that only their styles differ."""
    return options.model_copy(update={"motion": "fixed", "starts": 1})


def _t(times: Sequence[float]) -> Tensor:
    return torch.tensor(times, dtype=torch.float64)


@torch.no_grad()
def _drawn(generator: VideoGenerator, latents: Latents, times: Sequence[float]) -> np.ndarray:
    return np.concatenate([to_uint8(some) for some in generator.inr(latents).stream(_t(times))], axis=1)


def _nearest(at: Sequence[float], times: Sequence[float]) -> list[int]:
    """Which given frame is nearest to each time; of two, the earlier one."""
    return [min(range(len(at)), key=lambda i: abs(at[i] - t)) for t in times]


def _around(at: Sequence[float], t: float) -> tuple[int, int, float]:
    """The given frames before and after a time, and how far it is from the first to the second; outside: an end."""
    right = min(max(sum(a <= t for a in at), 1), len(at) - 1) if len(at) > 1 else 0
    left = max(right - 1, 0)
    share = (t - at[left]) / (at[right] - at[left]) if right > left else 0.0
    return left, right, min(1.0, max(0.0, share))


def _blended(given: np.ndarray, at: Sequence[float], times: Sequence[float]) -> np.ndarray:
    blended = []
    for left, right, share in (_around(at, t) for t in times):
        frame = (1 - share) * given[:, left].astype(np.float64) + share * given[:, right]
        blended.append((frame + 0.5).astype(np.uint8))
    return np.stack(blended, axis=1)


@torch.no_grad()
def _between_latents(
    generator: VideoGenerator, alone: Latents, at: Sequence[float], times: Sequence[float]
) -> np.ndarray:
    """Still pictures on the lines between the latents of the given frames (`alone`: V·n, one video after another)."""
    ws = alone.ws
    assert ws is not None
    ws, first = ws.unflatten(0, (-1, len(at))), alone[list(range(0, len(alone), len(at)))]
    pictures = []
    for left, right, share in (_around(at, t) for t in times):
        latents = dataclasses.replace(first, ws=ws[:, left].lerp(ws[:, right], share))
        pictures.append(_drawn(generator, latents, [0.0]))
    return np.concatenate(pictures, axis=1)


def numbers(scores: dict[str, dict[str, Score]]) -> dict[str, Any]:
    """For programs."""
    return {
        method: {place: dataclasses.asdict(score) for place, score in places.items()}
        for method, places in scores.items()
    }
