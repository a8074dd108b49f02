"""Normal numbers that are functions of what they are for: (a video's key, an index) → N(0, 1), on any device.

Philox 4×32 with 10 rounds (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011), and Box and
Muller's transform of its words. One Philox block gives four numbers: its counter is (block, index, step, sample), its
key is the seed. In plain PyTorch that is a hundred operations on small integers; a GPU does it in one.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ..operation import implement, register
from . import definition
from .definition import MASK, philox

__all__ = ["MASK", "normal", "philox"]


def normal(keys: Tensor, index: Tensor, width: int) -> Tensor:
    """N(0, 1) float32 `[B, …, width]` of indices int64 `[B, …]`; keys int64 `[B, 4]`, or one for all: 32-bit words (two
    of the seed, the step, the sample). Only an index's lowest 32 bits count."""
    rows = index.flatten(1) if index.ndim > 1 else index[:, None]
    return FORWARD(keys.expand(len(index), -1), rows, width).view(*index.shape, width)


FORWARD = register(
    "normal",
    "(Tensor keys, Tensor index, int width) -> Tensor",
    definition.normal,
    lambda keys, index, width: keys.new_empty(*index.shape, width, dtype=torch.float32),
)
implement("normal", device="cuda", requires="triton")(f"{__name__}.triton:normal")
