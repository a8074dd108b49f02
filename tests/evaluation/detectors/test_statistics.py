"""The quick score: what its features mean, and that it orders good and bad videos."""

from __future__ import annotations

import functools
import math

import numpy as np
import pytest
import torch
from torch import Tensor

from inrvid.errors import InrvidError
from inrvid.evaluation.detectors.statistics import FLOW_SCALE, SPEED_SCALE, Statistics
from inrvid.registry import registry


def statistics(**config) -> Statistics:
    return registry("detectors").build({"type": "statistics", **config})


@functools.cache
def clips(split: str, count: int = 128) -> Tensor:
    data = registry("datasets").build({"type": "procedural", "resolution": 32, "split": split})
    frames = np.stack([data.read(video, range(16)) for video in range(count)])
    return torch.from_numpy(frames).permute(0, 1, 4, 2, 3) / 127.5 - 1


def features(frames: Tensor, **config) -> dict[str, Tensor]:
    """By part."""
    detector = statistics(**config)
    found = detector.features(frames)
    return {name: found[:, columns] for name, columns in detector.parts.items()}


def score(fake: Tensor) -> dict[str, float]:
    detector, metric = statistics(), registry("metrics").build({"type": "statistics"})
    return metric.score(detector.features(clips("test")), detector.features(fake), detector.parts)


def noise(*shape: int) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(0)) * 2 - 1


def moving_waves(dx: float, dy: float, side: int = 32, frames: int = 8) -> Tensor:
    """A smooth texture that moves by (dx, dy) pixels a frame, `[1, frames, 3, side, side]`."""
    t = torch.arange(frames)[:, None, None]
    x, y = torch.arange(side) - dx * t, torch.arange(side)[:, None] - dy * t
    wave = torch.sin(2 * math.pi * x / 8) * torch.cos(2 * math.pi * y / 8)
    return 0.8 * wave[None, :, None].expand(1, frames, 3, side, side)


def flow(frames: Tensor) -> Tensor:
    """Pixels a frame, `[2, 16]`: x and y of each cell."""
    return features(frames)["temporal"][0, 32:].view(2, 16) * FLOW_SCALE


@pytest.mark.parametrize("size", [(32, 32), (64, 64), (20, 50)])
def test_features_of_any_size(size):
    found = features(noise(2, 5, 3, *size))
    assert {name: tuple(value.shape) for name, value in found.items()} == {
        "spatial": (2, 64),
        "temporal": (2, 64),
    }
    assert all(value.dtype == torch.float32 for value in found.values())


def test_features_do_not_depend_on_the_size():
    large = clips("test", 4).repeat_interleave(2, -1).repeat_interleave(2, -2)
    for small, enlarged in zip(features(clips("test", 4)).values(), features(large).values(), strict=True):
        torch.testing.assert_close(small, enlarged, atol=1e-5, rtol=1e-5)


def test_features_do_not_depend_on_the_batch():
    frames = clips("test", 4)
    apart = torch.cat([features(frame[None])["temporal"] for frame in frames])
    torch.testing.assert_close(features(frames)["temporal"], apart, atol=1e-5, rtol=1e-5)


def test_a_still_video_has_no_temporal_features():
    assert (features(noise(2, 1, 3, 40, 40).expand(2, 6, 3, 40, 40))["temporal"] == 0).all()


def test_steady_brightening_has_speed_and_no_acceleration():
    ramp = torch.linspace(-1, 1, 11)[:, None, None, None].expand(1, 11, 3, 32, 32)
    temporal = features(ramp)["temporal"][0]
    torch.testing.assert_close(temporal[:16] * SPEED_SCALE, torch.full((16,), 0.2, dtype=torch.float32))
    assert temporal[16:].abs().max() < 1e-4


@pytest.mark.parametrize(("dx", "dy"), [(0.5, 0.0), (-0.5, 0.0), (0.0, 0.5), (0.3, -0.4)])
def test_flow_is_the_motion_of_a_texture(dx, dy):
    x, y = flow(moving_waves(dx, dy))
    torch.testing.assert_close(x.mean().item(), dx, atol=0.06, rtol=0)
    torch.testing.assert_close(y.mean().item(), dy, atol=0.06, rtol=0)
    assert (x - dx).abs().max() < 0.15


def test_flow_turns_round_with_time():
    frames = moving_waves(0.5, 0.2)
    torch.testing.assert_close(flow(frames), -flow(frames.flip(1)), atol=1e-4, rtol=0)


def test_identical_sets_score_zero():
    traces = {name: value.var(0).sum().item() for name, value in features(clips("test")).items()}
    assert all(value < 1e-6 * traces[name] for name, value in score(clips("test")).items())


def test_real_videos_score_far_below_bad_ones():
    real, random = score(clips("train")), score(noise(*clips("train").shape))
    assert real["spatial"] < 6  # few clips: the distance's bias is most of it
    assert real["temporal"] < 3
    assert random["spatial"] > 50 * real["spatial"]
    assert random["temporal"] > 50 * real["temporal"]


def test_frozen_videos_fail_the_temporal_score_alone():
    real, frozen = score(clips("train")), score(clips("train")[:, 8:9].expand_as(clips("train")))
    assert frozen["spatial"] == pytest.approx(real["spatial"])
    assert frozen["temporal"] > 10 * real["temporal"]


def test_shuffled_frames_fail_the_temporal_score():
    order = torch.randperm(16, generator=torch.Generator().manual_seed(0))
    assert score(clips("train")[:, order])["temporal"] > 10 * score(clips("train"))["temporal"]


@pytest.mark.parametrize("shape", [(2, 2, 3, 32, 32), (2, 5, 1, 32, 32), (5, 3, 32, 32)])
def test_unfit_frames_are_refused(shape):
    with pytest.raises(InrvidError, match="got"):
        statistics().features(torch.zeros(shape))


def test_features_are_made_where_the_frames_are():
    """On the meta device nothing of the CPU's can be mixed in."""
    assert statistics().features(torch.empty(2, 4, 3, 32, 32, device="meta")).device.type == "meta"


def test_grey_is_that_of_eyes():
    detector = registry("detectors").build({"type": "statistics", "cells": 1})
    ramp = torch.arange(8.0)[None] / 8
    edges = []
    for colour in range(3):
        frames = torch.zeros(1, 3, 3, 8, 8)
        frames[:, :, colour] = ramp
        edges.append(detector.features(frames)[0, 3].item() * 0.05 * 8)
    assert edges == pytest.approx([0.299, 0.587, 0.114], rel=1e-4)


def test_units_of_acceleration():
    detector = registry("detectors").build({"type": "statistics", "cells": 1})
    t = torch.arange(5.0) ** 2 / 100
    frames = t[None, :, None, None, None].expand(1, 5, 3, 8, 8)
    assert detector.features(frames)[0, 5].item() == pytest.approx(0.02 / 0.2, rel=1e-3)
