"""What one can say of a clip without a network and without labels: does it move, flicker, repeat itself, is it sharp?

With frames f(t) in [−1, 1], d(t) = f(t+1) − f(t), and means over times, channels and pixels:

- motion: the mean of |d(t)|.
- flicker: the mean of (|d(t)| + |d(t+1)| − |d(t) + d(t+1)|) / 2, the change that the next frame undoes. It is half of
  what the second difference |d(t+1) − d(t)| has beyond the change of the speed, | |d(t+1)| − |d(t)| |; so a pixel that
  an edge passes, or that brightens at any pace, has none, and one that goes there and back has all of its change. It is
  at most the motion; things thinner than their step from frame to frame flicker, as they do to the eye.
- periodicity: how far the clip's autocorrelation rises again after falling, at lags from `SHORTEST` frames to half the
  clip (`periodicity`).
- sharpness: the mean difference of neighbouring pixels, horizontally and vertically.

Motion, flicker and sharpness depend on the frames' size and rate: compare clips of one size and rate.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from ...config import PartConfig
from .base import Detector, DetectorDigest

SHORTEST = 8
"""Number of frames from which on similarity counts as a repeat."""

SIDE = 16
"""Side that frames are area-reduced to before their autocorrelation, for repeats of what is seen, not of grain."""

STILL = (1 / 255) ** 2
"""Added to the mean squares of an autocorrelation, so that clips that move less than half an 8-bit step have none."""

NAMES = ("motion", "flicker", "periodicity", "sharpness")


class Diagnostics(Detector):
    """Motion, flicker, periodicity and sharpness of a clip, one number each: needs no weights."""

    class Config(PartConfig):
        pass

    config: Config
    min_frames = 2 * SHORTEST

    def __init__(self, config: Config):
        super().__init__(config)
        self.parts = {name: slice(i, i + 1) for i, name in enumerate(NAMES)}
        self.digest = DetectorDigest(name="diagnostics", features=", ".join(NAMES), resize="none")

    def _features(self, clips: Tensor) -> Tensor:
        return torch.stack([_of_clip(frames.float()) for frames in clips])


def _of_clip(frames: Tensor) -> Tensor:
    """`[T, 3, H, W]` → `[4]`; one clip at a time, as long ones need much memory."""
    change = frames.diff(dim=0)
    size = change.abs()
    undone = (size[1:] + size[:-1] - (change[1:] + change[:-1]).abs()) / 2
    sharpness = torch.stack([frames.diff(dim=dim).abs().mean() for dim in (2, 3)]).nan_to_num().mean()
    return torch.stack([size.mean(), undone.mean(), periodicity(frames), sharpness])


def periodicity(frames: Tensor) -> Tensor:
    """How strongly a clip `[T, C, H, W]` repeats itself, 0 … 1, a scalar.

    The autocorrelation ρ(τ) is the cosine between the clip without its last τ frames and the clip without its first τ;
    frames are area-reduced, and each of their pixels has its mean over time subtracted. A clip that drifts has a large
    ρ at short lags that only falls. So that this does not count, ρ counts only as far as it rises above the lowest ρ of
    shorter lags: the result is the maximum over τ of min(ρ(τ), ρ(τ) − min ρ(< τ)). Over a whole period ρ has the mean
    0: a clip that repeats has 1, and a still one, whose ρ is 0, has 0.
    """
    return rise(autocorrelation(reduced(frames))).max().clamp(0, 1)


def reduced(frames: Tensor) -> Tensor:
    """Frames `[T, C, H, W]` → `[T, n]`, area-reduced, in which repeats are looked for."""
    size = (min(SIDE, frames.shape[2]), min(SIDE, frames.shape[3]))
    return F.interpolate(frames, size=size, mode="area").flatten(1)


def autocorrelation(series: Tensor) -> Tensor:
    """ρ(τ) of `[T, n]` at τ = 1 … T/2, each number less its mean over time."""
    moving = series - series.mean(0)
    return torch.stack([_cosine(moving[:-lag], moving[lag:]) for lag in range(1, len(moving) // 2 + 1)])


def rise(rho: Tensor) -> Tensor:
    """min(ρ(τ), ρ(τ) − min ρ(< τ)) at τ from `SHORTEST` on."""
    return torch.minimum(rho, rho - rho.cummin(0).values)[SHORTEST - 1 :]


def _cosine(first: Tensor, second: Tensor) -> Tensor:
    first_size, second_size = first.square().mean() + STILL, second.square().mean() + STILL
    return (first * second).mean() / (first_size * second_size).sqrt()
