"""Checks of a detector. One whose weights are not on this machine is checked only by what it declares."""

from __future__ import annotations

import unittest

import torch

from ..errors import InrvidError
from ..evaluation.detectors.base import Detector, NotHere
from .checks import ROUNDED, Checks, near, require, shaped
from .randomness import check_own_randomness
from .videos import refused

CLIPS, FRAMES, SIDE = 3, 8, 32


class KindChecks(Checks):
    """Checks of a detector."""

    def detector(self) -> Detector:
        try:
            return self.build()
        except (NotHere, InrvidError) as error:
            raise unittest.SkipTest(" ".join(str(error).split())[:200]) from None

    def test_features(self) -> None:
        """float32 `[B, n]`, finite, the same for a clip alone and in a batch, and the same again."""
        detector = self.detector()
        clips = clips_for(detector)
        features = detector.features(clips)
        shaped(features, (CLIPS, features.shape[-1]), "features")
        require(features.dtype == torch.float32, f"features are {features.dtype}")
        near(
            detector.features(clips[1:2])[0],
            features[1],
            "features of a clip alone and in a batch",
            rtol=1e-3,
            atol=1e-4,
        )
        near(detector.features(clips), features, "features of the same clips again", **ROUNDED)
        require(bool((features.std(dim=0) > 0).any()), "all clips have the same features")

    def test_parts_share_the_columns(self) -> None:
        """Each of `parts` has columns of its own."""
        detector = self.detector()
        width = detector.features(clips_for(detector)).shape[1]
        columns = [i for part in detector.parts.values() for i in range(*part.indices(width))]
        require(bool(columns) and len(columns) == len(set(columns)), "two of its parts have the same columns")

    def test_digest_says_what_it_is(self) -> None:
        digest = self.detector().digest
        for field in ("name", "features", "resize"):
            require(bool(getattr(digest, field)), f"its digest has no {field}")

    def test_refuses_what_it_cannot_see(self) -> None:
        """Another shape, integers, too few frames: with an InrvidError."""
        detector = self.detector()
        clips = clips_for(detector)
        refused(lambda: detector.features(clips[0]), InrvidError, "one clip without a batch")
        refused(lambda: detector.features((clips * 127).to(torch.uint8)), InrvidError, "integers")
        if detector.min_frames > 1:
            few = clips[:, : detector.min_frames - 1]
            refused(lambda: detector.features(few), InrvidError, f"{few.shape[1]} frames")

    def test_randomness_is_its_own(self) -> None:
        detector = self.detector()
        clips = clips_for(detector)
        check_own_randomness(lambda: detector.features(clips), "calling it")
        with torch.random.fork_rng(devices=[]):
            torch.random.default_generator.manual_seed(7)
            near(self.parts.build(self.config()).features(clips), detector.features(clips), "built under another seed")


def clips_for(detector: Detector) -> torch.Tensor:
    frames = min(max(detector.min_frames, FRAMES), detector.max_frames or max(detector.min_frames, FRAMES))
    return torch.rand(CLIPS, frames, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0)) * 2 - 1
