"""Strided convolutions as PyTorch has them."""

from __future__ import annotations

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor
from torch.nn.grad import conv2d_weight

STRIDE = 2


def shrink(large: Tensor, weight: Tensor) -> Tensor:
    """Without padding."""
    return F.conv2d(large, weight, stride=STRIDE)


def grow(small: Tensor, weight: Tensor, size: Sequence[int]) -> Tensor:
    """`size`: height and width of the result, which may end in rows and columns that no patch reaches."""
    rest = [n - STRIDE * (m - 1) - weight.shape[2] for n, m in zip(size, small.shape[2:], strict=True)]
    return F.conv_transpose2d(small, weight, stride=STRIDE, output_padding=rest)


def correlate(large: Tensor, small: Tensor, k: int) -> Tensor:
    """→ `[S, L, k, k]`: products of every number of the small map with its patch of the large one, summed."""
    return conv2d_weight(large, [small.shape[1], large.shape[1], k, k], small, stride=STRIDE)
