"""The gradient of the weight from patches, a few rows of them at a time."""

from __future__ import annotations

import torch
from torch import Tensor

from ..batches import parts
from . import definition
from .definition import STRIDE


def correlate(large: Tensor, small: Tensor, k: int) -> Tensor:
    if large.dtype != torch.float32 or not small.numel():
        return definition.correlate(large, small, k)
    n, channels, height, width = small.shape
    columns = large.shape[1] * k * k
    large, rows = large.permute(0, 2, 3, 1).contiguous(), small.permute(0, 2, 3, 1).contiguous()
    _, down, right, _ = large.stride()
    result = large.new_zeros(columns, channels)
    for image in range(n):
        for band in parts(height, width * columns, PIECE):
            own = rows[image, band].flatten(0, 1)
            patches = large[image, STRIDE * band.start :].as_strided(
                (band.stop - band.start, width, k, k, large.shape[3]), (STRIDE * down, STRIDE * right, down, right, 1)
            )
            result.addmm_(patches.reshape(-1, columns).mT, own)
    return result.view(k, k, -1, channels).permute(3, 2, 0, 1)


PIECE = 1 << 20
"""Numbers of patches that are gathered at a time."""
