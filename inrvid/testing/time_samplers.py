"""Checks of a time sampler."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ..random import Draws
from .checks import near, require, shaped
from .randomness import check_own_randomness
from .training import TrainedChecks

VIDEOS, SHORTEST = 200, 40
DERIVED = ("frames", "clip_length")
"""Keys that a recipe takes from its other parts."""


class KindChecks(TrainedChecks):
    """Of a time sampler, for a discriminator of two frames."""

    def recipe_parts(self) -> dict[str, Any]:
        return {"time_sampler": {key: value for key, value in self.config().items() if key not in DERIVED}}

    def sampler(self) -> Any:
        return self.parts.build(self.config(frames=2))

    def test_generated_times(self) -> None:
        """Ascending, `[B, frames]`."""
        sampler, lengths = self.sampler(), torch.arange(VIDEOS) + SHORTEST
        t = sampler.generated(draws(range(VIDEOS)), lengths)
        shaped(t, (VIDEOS, sampler.frames), "times of generated clips")
        require(bool((t.diff(dim=1) >= 0).all()), "times of generated clips are not ascending")

    def test_real_frames(self) -> None:
        """Numbers of frames that there are, ascending; times go with them; a clip's are its own draws'."""
        sampler, lengths = self.sampler(), torch.arange(VIDEOS) + SHORTEST
        frames, times = sampler.real(draws(range(VIDEOS)), lengths)
        for values, what in ((frames, "frame numbers"), (times, "times of real clips")):
            shaped(values, (VIDEOS, sampler.frames), what)
        require(frames.dtype == torch.int64, f"frame numbers are {frames.dtype}")
        inside = bool((frames >= 0).all() and (frames < lengths[:, None]).all())
        require(inside, "frame numbers are not all of 0 … length − 1")
        require(bool((frames.diff(dim=1) >= 0).all()), "frame numbers are not ascending")
        near(times.diff(dim=1), frames.diff(dim=1).float(), "intervals of times and of frame numbers")
        again, _ = sampler.real(draws([7]), lengths[7:8])
        require(torch.equal(again[0], frames[7]), "a clip has other frames alone than in a batch")

    def test_randomness_is_its_own(self) -> None:
        sampler, lengths = self.sampler(), torch.arange(VIDEOS) + SHORTEST

        def times() -> list[Tensor]:
            return [*sampler.real(draws(range(VIDEOS)), lengths), sampler.generated(draws(range(VIDEOS)), lengths)]

        check_own_randomness(times, "drawing from it")


def draws(samples: Any) -> Draws:
    return Draws.of_batch(0, "times", 3, samples)
