"""Errors by random halves, and the line in 1/N, by draws of known distributions."""

from __future__ import annotations

import types

import numpy as np
import pytest
import torch

from inrvid.evaluation.protocol import Protocol
from inrvid.evaluation.uncertainty import extrapolated, spread_of_halves
from inrvid.registry import registry

RANDOM = {"type": "fvd", "detector": {"type": "random"}}


def test_errors_are_those_of_repeated_draws():
    """The spread of halves of one sample is about that of samples of this size."""
    draws, metric = (
        torch.Generator().manual_seed(0),
        registry("metrics").build({"type": "kvd", "detector": {"type": "random"}}),
    )
    parts, of = (
        {"": slice(None)},
        Protocol.model_validate({"name": "own", "halves": 60, "metrics": (RANDOM,)}, strict=False),
    )

    def sample():
        return torch.randn(128, 4, generator=draws, dtype=torch.float64)

    scores = [metric.score(sample(), sample() + 0.5, parts)[""] for _ in range(60)]
    errors = [spread_of_halves(metric, sample(), sample() + 0.5, parts, of)[""] for _ in range(8)]
    assert np.mean(errors) == pytest.approx(np.std(scores, ddof=1), rel=0.3)


def test_the_bias_of_few_clips_is_extrapolated_away():
    draws, metric = torch.Generator().manual_seed(0), registry("metrics").build(RANDOM)
    real, fake = (torch.randn(400, 16, generator=draws, dtype=torch.float64) for _ in range(2))
    parts = {"": slice(None)}
    biased = metric.score(real, fake, parts)[""]
    assert abs(extrapolated(metric, real, fake, parts, seed=0)[""]) < 0.4 * biased


def test_the_order_of_clips_means_nothing():
    """Of real clips in the order of their classes, as UCF-101's by name, half would be half the classes."""
    draws, metric = torch.Generator().manual_seed(0), registry("metrics").build(RANDOM)
    real, fake = (torch.randn(400, 4, generator=draws, dtype=torch.float64) for _ in range(2))
    real[200:] += 3
    fake = fake + 1
    parts = {"": slice(None)}
    found = extrapolated(metric, real, fake, parts, seed=0)[""]
    assert found == pytest.approx(metric.score(real, fake, parts)[""], rel=0.2)


def test_clips_of_one_video_are_one_draw():
    """16 copies of 64 draws are as uncertain as the 64, and come no nearer to what more of them would score."""
    draws, metric = torch.Generator().manual_seed(0), registry("metrics").build(RANDOM)
    parts, of = {"": slice(None)}, Protocol.model_validate({"name": "own", "metrics": (RANDOM,)}, strict=False)
    real, fake = (torch.randn(64, 4, generator=draws, dtype=torch.float64) for _ in range(2))
    videos = [video for video in range(64) for _ in range(16)]
    many, few = real.repeat_interleave(16, dim=0), fake
    (told,) = spread_of_halves(metric, many, few, parts, of, (videos, None)).values()
    (once,) = spread_of_halves(metric, real, few, parts, of).values()
    assert told == pytest.approx(once, rel=0.1)
    assert extrapolated(metric, many, few, parts, seed=0, videos=(videos, None))[""] == pytest.approx(
        extrapolated(metric, real, few, parts, seed=0)[""], rel=0.1
    )


def test_an_error_is_the_deviation_of_a_sample():
    values = iter([1.0, 3.0])
    metric = types.SimpleNamespace(fewest=1, fewest_real=1, score=lambda real, fake, parts: {"": next(values)})
    of = Protocol.model_validate({"name": "own", "halves": 2, "metrics": ({"type": "statistics"},)}, strict=False)
    found = spread_of_halves(metric, torch.zeros(4, 1), torch.zeros(4, 1), {"": slice(None)}, of)
    assert found[""] == pytest.approx(2**0.5)
