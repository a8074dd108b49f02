"""Checks of a metric: scores of two sets of features, of which the nearer set has the better one."""

from __future__ import annotations

import contextlib
import math

import torch
from torch import Tensor

from ..errors import InrvidError
from ..evaluation.metrics.base import Metric
from .checks import Checks, require
from .randomness import check_own_randomness

WIDTH = 6


class KindChecks(Checks):
    """Checks of a metric, on features that come from no detector."""

    def metric(self) -> Metric:
        return self.build()

    def test_scores_are_numbers(self) -> None:
        """By name, finite, and the same again."""
        metric = self.metric()
        real, near, _ = features(metric)
        scores = metric.score(real, near, {"": slice(None)})
        require(bool(scores), "there is no score")
        wrong = [name for name, value in scores.items() if not isinstance(value, float) or not math.isfinite(value)]
        require(not wrong, f"no finite float: {', '.join(map(repr, wrong))}")
        require(
            metric.score(real, near, {"": slice(None)}) == scores,
            "scoring the same features twice gives different scores",
        )

    def test_what_is_nearer_is_better(self) -> None:
        """Features like the real ones score better than far, nearly equal ones, unless no direction is better."""
        metric = self.metric()
        if metric.better == "neither":
            return
        real, near, far = features(metric)
        good, bad = (metric.score(real, other, {"": slice(None)}) for other in (near, far))
        for name, value in good.items():
            holds = value < bad[name] if metric.better == "lower" else value > bad[name]
            require(
                holds, f"{name or 'the score'} is {value:.4g} of what is like the real, {bad[name]:.4g} of what is not"
            )

    def test_too_few_clips_have_no_wrong_score(self) -> None:
        """With fewer than `fewest` an InrvidError, or numbers that are finite."""
        metric = self.metric()
        real, near, _ = features(metric)
        few = metric.fewest - 1
        with contextlib.suppress(InrvidError):
            scores = metric.score(real[:few], near[:few], {"": slice(None)})
            require(all(map(math.isfinite, scores.values())), f"{few} clips a side have the scores {scores}")

    def test_its_name_says_what_it_sees(self) -> None:
        """Frames and stride are part of it, where they are written."""
        metric = self.parts.build({**self.config(), "frames": 4, "stride": 2})
        require(self.name in metric.name, f"its name is {metric.name!r}")
        require(metric.name != self.metric().name, "clips of other lengths have scores of the same name")
        window = metric.window(16)
        require((window.frames, window.stride) == (4, 2), f"it sees {tuple(window)}")

    def test_randomness_is_its_own(self) -> None:
        metric = self.metric()
        real, near, _ = features(metric)
        scores = metric.score
        check_own_randomness(lambda: torch.tensor([*scores(real, near, {"": slice(None)}).values()]), "scoring")


def features(metric: Metric) -> tuple[Tensor, Tensor, Tensor]:
    """Features of real clips, of clips like them, and of others that are all nearly the same; float64."""
    count, generator = max(64, 2 * metric.fewest), torch.Generator().manual_seed(0)
    real, near, noise = (torch.randn(count, WIDTH, generator=generator, dtype=torch.float64) for _ in range(3))
    return real, near, 3 + 0.01 * noise
