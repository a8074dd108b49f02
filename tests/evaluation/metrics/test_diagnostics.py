"""Diagnostics of two sets."""

from __future__ import annotations

import pytest
import torch

from inrvid.evaluation.detectors.diagnostics import _of_clip
from inrvid.registry import registry


def test_means_of_both_sets_by_name():
    metric = registry("metrics").build({"type": "diagnostics", "frames": 128})
    detector = registry("detectors").build(metric.config.detector)
    assert metric.name == "diagnostics128"
    real, fake = torch.rand(5, 4).double(), torch.rand(7, 4).double()
    found = metric.score(real, fake, detector.parts)
    assert list(found) == [
        "motion", "motion (real)", "flicker", "flicker (real)",
        "periodicity", "periodicity (real)", "sharpness", "sharpness (real)",
    ]  # fmt: skip
    assert found["flicker"] == pytest.approx(fake[:, 1].mean().item())
    assert found["flicker (real)"] == pytest.approx(real[:, 1].mean().item())


def test_frozen_clips_do_not_move():
    metric = registry("metrics").build({"type": "diagnostics"})
    detector = registry("detectors").build(metric.config.detector)
    real = torch.rand(4, 16, 3, 16, 16)
    found = metric.score(*map(detector.features, (real, real[:, :1].expand_as(real))), detector.parts)
    assert found["motion"] == 0 < found["motion (real)"]


def test_sharpness_is_of_both_directions():
    stripes = torch.tensor([0.0, 1.0]).repeat(8).expand(16, 3, 16, 16)
    along, across = _of_clip(stripes)[3], _of_clip(stripes.mT)[3]
    assert along == across == 0.5
