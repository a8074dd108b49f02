from __future__ import annotations

import pytest

from inrvid import load_recipe

from ..threads import one_thread

__all__ = ["TINY", "one_thread", "tiny"]

TINY = [
    "data.videos=24",
    "generator.resolution=16",
    "generator.input_resolution=8",
    "generator.clip_length=8",
    "data.frames=10",
    "generator.channel_max=16",
    "generator.z_dim=8",
    "generator.w_dim=8",
    "generator.coord_dim=4",
    "discriminator.channel_max=16",
    "train.batch_size=4",
    "train.sample_videos=2",
    "train.sample_kclips=1",
    "train.log_kclips=0.008",
    "train.tensorboard=false",
    "eval.metrics=[]",
]
"""The quickstart, small enough for a test."""


@pytest.fixture
def tiny():
    """A function of overrides that loads a tiny recipe."""
    return lambda *overrides: load_recipe("quickstart", [*TINY, *overrides])
