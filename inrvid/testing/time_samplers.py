"""Checks of a time sampler."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ..random import Draws
from ..recipe.fit import admits_one_value
from .checks import near, require, shaped
from .randomness import check_own_randomness
from .sizes import own_settings
from .training import TrainedChecks

VIDEOS, SHORTEST = 200, 40
FARTHEST = 4
"""Largest ratio allowed between the mean spans of real and of generated clips, either way."""

DERIVED = ("frames", "clip_length")
"""Keys that a recipe takes from its other parts."""


class KindChecks(TrainedChecks):
    """Checks of a time sampler, for a discriminator of two frames."""

    def recipe_parts(self) -> dict[str, Any]:
        return {"time_sampler": {key: value for key, value in self.config().items() if key not in DERIVED}}

    def sampler(self) -> Any:
        """A sampler for clips of two frames, unless it says another number itself."""
        keys = self.parts.config_class(self.name).model_fields
        own = {**own_settings(self.kind, self.name), **self.small}
        says = bool(own.get("frames")) or admits_one_value(keys["frames"])
        return self.parts.build(self.config() if says else self.config(frames=2))

    def test_generated_times(self) -> None:
        """Ascending from 0 on, `[B, frames]`, in frames as in real clips; a clip's depend on its own draws alone."""
        sampler, lengths = self.sampler(), torch.arange(VIDEOS) + SHORTEST
        t = sampler.generated(draws(range(VIDEOS)), lengths)
        shaped(t, (VIDEOS, sampler.frames), "times of generated clips")
        require(bool((t.diff(dim=1) >= 0).all()), "times of generated clips are not ascending")
        require(bool((t >= 0).all()), "times of generated clips are not all from 0 on")
        again = sampler.generated(draws([7]), lengths[7:8])
        near(again[0], t[7], "times of a generated clip alone and in a batch")
        _, times = sampler.real(draws(range(VIDEOS)), lengths)
        spans = [float((x[:, -1] - x[:, 0]).double().mean()) for x in (t, times)]
        told = f"generated clips span {spans[0]:.3g} frames, real ones {spans[1]:.3g}: times are in frames"
        require(max(spans) <= FARTHEST * min(spans), told)

    def test_real_frames(self) -> None:
        """Numbers of existing frames, ascending, and times to match; a clip's depend on its own draws alone."""
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
