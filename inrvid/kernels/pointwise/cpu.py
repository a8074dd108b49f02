"""The pointwise layer as convolutions, or a few rows at a time.

A large video is handled by a convolution, which also adds the bias. For smaller ones, and in the backward pass, a few
rows are taken at a time, so that the activation (and its gradient, which three sums consume) is found in a cache that
the cores share.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from ..batches import add_products, multiply, pieces, sum_of_rows


def pointwise(x: Tensor, weight: Tensor, bias: Tensor | None, slope: float) -> Tensor:
    width = max(weight.shape[1:])
    if x.shape[1] * width * x.itemsize >= PIECE:
        return _as_convolutions(x, weight, bias, slope)
    y = x.new_empty(*x.shape[:2], weight.shape[2])
    for videos, rows in pieces(x.shape[0], x.shape[1], width, PIECE // x.itemsize):
        out = y[videos, rows]
        multiply(x[videos, rows], weight[videos], bias, out)
        if slope != 1:
            F.leaky_relu_(out, slope)
    return y


def _as_convolutions(x: Tensor, weight: Tensor, bias: Tensor | None, slope: float) -> Tensor:
    """1×1 convolutions, one a video: oneDNN's are faster than matrix products for many rows, and add the bias."""
    images = x.contiguous()[:, None, :, None].permute(0, 1, 4, 2, 3)  # [B, 1, in, M, 1], channels-last
    kernels = weight.mT[..., None, None]
    if len(x) == 1:
        y = _rows(F.conv2d(images[0], kernels[0], bias))
        return F.leaky_relu_(y, slope) if slope != 1 else y
    y = x.new_empty(*x.shape[:2], weight.shape[2])
    for image, kernel, out in zip(images, kernels, y[:, None], strict=True):
        # The activation writes the result to its place in y.
        torch.ops.aten.leaky_relu.out(_rows(F.conv2d(image, kernel, bias)), slope, out=out)
    return y


def _rows(image: Tensor) -> Tensor:
    """`[1, C, M, 1]` → `[1, M, C]`."""
    return image.permute(0, 2, 3, 1).flatten(1, 2)


def pointwise_backward(
    gradient: Tensor, x: Tensor, weight: Tensor, y: Tensor, slope: float, biased: bool
) -> tuple[Tensor, Tensor, Tensor]:
    wide = torch.promote_types(x.dtype, torch.float32)
    of_x = torch.empty_like(x)
    of_weight = weight.new_zeros(weight.shape, dtype=wide)
    of_bias = weight.new_zeros(weight.shape[2] if biased else 0, dtype=wide)
    for videos, rows in pieces(x.shape[0], x.shape[1], max(x.shape[2], y.shape[2]), PIECE // x.itemsize):
        before = gradient[videos, rows]
        if slope != 1:
            before = torch.ops.aten.leaky_relu_backward(before, y[videos, rows], slope, True)
        multiply(before, weight[videos].mT, None, of_x[videos, rows])
        add_products(of_weight[videos], x[videos, rows].mT, before)
        if biased:
            of_bias += sum_of_rows(before.flatten(0, 1), 0, wide)
    return of_x, of_weight.to(weight.dtype), of_bias.to(x.dtype)


PIECE = 1 << 22
"""Bytes of the wider side that the CPU handles at a time; for a video of this size or more, a convolution is faster."""
