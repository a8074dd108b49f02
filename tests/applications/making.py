"""Small models for tests of what models are used for, and frames that they made."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from inrvid import VideoGenerator, build_generator
from inrvid.video_io import to_uint8

from ..small import small_generator


def generator(backbone: str = "inr_gan", motion: str = "global", **keys: Any) -> VideoGenerator:
    torch.manual_seed(0)
    return build_generator(small_generator(backbone, motion, resolution=16, **keys)).eval()


@torch.no_grad()
def own_frames(G: VideoGenerator, times: list[float], seed: int = 7) -> np.ndarray:
    """uint8 `[T, H, W, 3]`."""
    return to_uint8(G.inr(G.sample_latents(1, seed=seed))(torch.tensor(times)))[0]


def model(generator: str = "inr_gan", motion: str = "global", **keys) -> VideoGenerator:
    return build_generator(small_generator(generator, motion, **keys), seed=1).eval()
