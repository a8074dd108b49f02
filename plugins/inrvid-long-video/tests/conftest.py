"""Small generators, by the names of their parts."""

from __future__ import annotations

import pytest

from inrvid import VideoGenerator, build_generator

SIZES = {"resolution": 32, "clip_length": 8, "z_dim": 12, "w_dim": 12, "channel_base": 256, "channel_max": 16}
BACKBONES = {
    "inr_gan": {"input_resolution": 16, "coord_dim": 6, "fmm_rank": 2},
    "stylegan2": {"motion_width": 12},
}


@pytest.fixture
def small_generator():
    """(backbone, motion) → a generator of 32×32 frames, in evaluation mode."""

    def build(backbone: str, motion: dict, **keys) -> VideoGenerator:
        return build_generator({"type": backbone, **SIZES, **BACKBONES[backbone], "motion": motion, **keys}).eval()

    return build


@pytest.fixture(params=BACKBONES)
def backbone(request) -> str:
    return request.param
