"""Small models for tests of what models are used for."""

from __future__ import annotations

from inrvid import build_generator
from inrvid.generators.base import VideoGenerator

from ..small import small_generator


def model(generator: str = "inr_gan", motion: str = "global", **keys) -> VideoGenerator:
    return build_generator(small_generator(generator, motion, **keys), seed=1).eval()
