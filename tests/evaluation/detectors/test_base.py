"""What every detector does with clips; the one of random weights."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from inrvid.errors import InrvidError
from inrvid.evaluation.detectors.base import DetectorDigest, exact_products, resized
from inrvid.evaluation.detectors.random_features import RandomFeatures


def clips(count: int = 6, frames: int = 4) -> Tensor:
    return torch.rand(count, frames, 3, 40, 40, generator=torch.Generator().manual_seed(0)) * 2 - 1


def test_resizing_is_bilinear_between_centres_of_pixels():
    ramp = torch.tensor([0.0, 1.0]).expand(2, 1, 3, 2, 2)
    rows = resized(ramp, 4)
    assert rows.shape == (2, 1, 3, 4, 4)
    torch.testing.assert_close(rows[0, 0, 0, 0], torch.tensor([0, 0.25, 0.75, 1]))


def test_resizing_does_not_antialias():
    checks = torch.tensor([1.0, -1.0]).repeat(8).expand(1, 3, 16, 16)
    assert resized(checks, 5).abs().max() > 0.3  # antialiased, it would be near 0


def test_resizing_squashes():
    assert resized(torch.zeros(2, 3, 3, 10, 30), 8).shape == (2, 3, 3, 8, 8)
    same = torch.randn(2, 3, 8, 8)
    assert resized(same, 8) is same


def test_exact_products_are_left_as_they_were():
    flags = torch.backends.cudnn
    before = flags.allow_tf32
    flags.allow_tf32 = True
    try:
        with exact_products():
            assert not flags.allow_tf32
        assert flags.allow_tf32
    finally:
        flags.allow_tf32 = before


def test_random_features_are_those_of_the_seed():
    first, again, other = (RandomFeatures(RandomFeatures.Config(seed=seed)) for seed in (1, 1, 2))
    assert torch.equal(first.features(clips()), again.features(clips()))
    assert first.digest == again.digest
    assert not torch.allclose(first.features(clips()), other.features(clips()))
    assert first.digest.sha256 != other.digest.sha256


def test_random_features_say_that_they_are():
    digest = RandomFeatures(RandomFeatures.Config()).digest
    assert not digest.trained
    assert DetectorDigest.model_validate_json(digest.model_dump_json()) == digest


def test_features_do_not_depend_on_the_batch():
    detector = RandomFeatures(RandomFeatures.Config())
    together = detector.features(clips())
    assert together.shape == (6, 64)
    apart = torch.cat([detector.features(clip[None]) for clip in clips()])
    torch.testing.assert_close(together, apart, rtol=1e-5, atol=1e-6)


def test_motion_shows():
    detector = RandomFeatures(RandomFeatures.Config())
    frozen = clips()[:, :1].expand_as(clips())
    assert (detector.features(frozen) - detector.features(clips())).abs().max() > 0.01


def test_too_few_frames_are_refused():
    with pytest.raises(InrvidError, match="random needs at least 2 frames, got 1"):
        RandomFeatures(RandomFeatures.Config()).features(clips()[:, :1])
