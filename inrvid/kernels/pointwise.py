"""A pointwise layer whose matrix belongs to the video: matrix product, bias and leaky ReLU.

    y = lrelu(x · W + b)

The backward pass needs x, W and y. On the CPU a large video is a convolution, which adds the bias; with smaller
ones, and in the backward pass, rows are taken a few at a time, so that the activation (and its gradient, which three
sums consume) is found in a cache that the cores share.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from .batches import add_products, multiply, pieces, sum_of_rows
from .bias_act import slopes_at
from .dispatch import path_for
from .operation import register, shape_of


def pointwise(x: Tensor, weight: Tensor, bias: Tensor | None = None, *, slope: float = 1.0) -> Tensor:
    """Rows x `[B, M, in]` times weight `[B, in, out]`, plus bias `[out]` → `[B, M, out]`; slope 1: no activation."""
    return FORWARD(x, weight, bias, slope)


def for_inference(weight: Tensor) -> Tensor:
    """A weight `[B, in, out]` that many products will follow, laid out in memory as this device's are fastest with."""
    return weight.mT.contiguous().mT if path_for(weight) == "cpu" and not torch.is_grad_enabled() else weight


def definition(x: Tensor, weight: Tensor, bias: Tensor | None, slope: float) -> Tensor:
    y = x @ weight if bias is None else x @ weight + bias
    return F.leaky_relu(y, slope) if slope != 1 else y


def cpu(x: Tensor, weight: Tensor, bias: Tensor | None, slope: float) -> Tensor:
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
        # The activation carries the result to its place among the others.
        torch.ops.aten.leaky_relu.out(_rows(F.conv2d(image, kernel, bias)), slope, out=out)
    return y


def _rows(image: Tensor) -> Tensor:
    """`[1, C, M, 1]` → `[1, M, C]`."""
    return image.permute(0, 2, 3, 1).flatten(1, 2)


def backward_definition(
    gradient: Tensor, x: Tensor, weight: Tensor, y: Tensor, slope: float, biased: bool
) -> tuple[Tensor, Tensor, Tensor]:
    """Gradients of x, weight and bias (empty without one), from those of y."""
    before = gradient * slopes_at(y, slope) if slope != 1 else gradient
    return before @ weight.mT, x.mT @ before, before.sum(dim=(0, 1)) if biased else before.new_empty(0)


def backward_cpu(
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
"""Bytes of the wider side that the CPU handles at a time; of a video, from which a convolution is the faster way."""


def _setup(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    x, weight, bias, ctx.slope = inputs
    ctx.biased = bias is not None
    ctx.save_for_backward(x, weight, output if ctx.slope != 1 else shape_of(output))


def _backward(ctx: Any, gradient: Tensor) -> tuple[Any, ...]:
    run: Any = backward_definition if torch.is_grad_enabled() else BACKWARD
    of_x, of_weight, of_bias = run(gradient, *ctx.saved_tensors, ctx.slope, ctx.biased)
    return of_x, of_weight, of_bias if ctx.biased else None, None


FORWARD = register(
    "pointwise",
    "(Tensor x, Tensor weight, Tensor? bias, float slope) -> Tensor",
    definition,
    cpu,
    lambda x, weight, bias, slope: x.new_empty(*x.shape[:2], weight.shape[2]),
    backward=_backward,
    setup=_setup,
    half_from=(8, 0),
)
BACKWARD = register(
    "pointwise_backward",
    "(Tensor gradient, Tensor x, Tensor weight, Tensor y, float slope, bool biased) -> (Tensor, Tensor, Tensor)",
    backward_definition,
    backward_cpu,
    lambda gradient, x, weight, y, slope, biased: (
        x.new_empty(x.shape),
        weight.new_empty(weight.shape),
        weight.new_empty(weight.shape[2] if biased else 0),
    ),
)
