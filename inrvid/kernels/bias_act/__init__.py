"""Scale, bias, leaky ReLU, gain and clamp in one pass, and backward with the sums that bias and scale need.

    y = clamp(gain · lrelu(scale · x + bias), ±bound)

The activation is invertible, so that the backward pass needs y alone: x is not kept.
"""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from ..dispatch import on_cpu_backend
from ..operation import implement, register
from ..rows import as_rows, like, of_samples
from . import definition

SLOPE = 0.2
"""Slope of the leaky ReLU in the StyleGAN family."""

NO_BOUND = math.inf


def bias_act(
    x: Tensor,
    bias: Tensor | None = None,
    scale: Tensor | None = None,
    *,
    slope: float = SLOPE,
    gain: float = 1.0,
    bound: float = NO_BOUND,
) -> Tensor:
    """Feature maps `[N, C, H, W]` or rows `[N, M, C]` → the same shape.

    Args:
        bias: `[C]`.
        scale: `[N, C]`, or `[N/k, C]`: one for k consecutive samples. Not 0.
        slope: of the leaky ReLU for negative values; 1 applies no activation.
        gain: positive.
        bound: magnitude to which the result is clamped.
    """
    return like(FORWARD(as_rows(x), bias, of_samples(scale, x.shape[0]), slope, gain, bound), x)


def convolve_bias_act(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    scale: Tensor | None = None,
    *,
    stride: int = 1,
    padding: int = 0,
    bound: float = NO_BOUND,
) -> Tensor:
    """`bias_act(conv2d(x, weight))`."""
    if scale is None and on_cpu_backend(x):  # there, convolutions add the bias on their way, and sum its gradient
        # What is left is PyTorch's own, in place; a custom op costs small networks as much as the convolution.
        y = F.leaky_relu(F.conv2d(x, weight, bias, stride=stride, padding=padding), SLOPE, inplace=True)
        return y if math.isinf(bound) else y.clamp(-bound, bound)
    return bias_act(F.conv2d(x, weight, None, stride=stride, padding=padding), bias, scale, bound=bound)


def _setup(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    _, bias, scale, *ctx.constants = inputs
    ctx.save_for_backward(output, bias, scale)


def _backward(ctx: Any, gradient: Tensor) -> tuple[Any, ...]:
    y, bias, scale = ctx.saved_tensors
    of_x, of_bias, of_scale = BACKWARD.in_backward(gradient, y, bias, scale, *ctx.constants)
    return of_x, None if bias is None else of_bias, None if scale is None else of_scale, None, None, None


_CONSTANTS = "float slope, float gain, float bound"
FORWARD = register(
    "bias_act",
    f"(Tensor x, Tensor? bias, Tensor? scale, {_CONSTANTS}) -> Tensor",
    definition.bias_act,
    lambda x, *rest: torch.empty_like(x),
    backward=_backward,
    setup=_setup,
)
BACKWARD = register(
    "bias_act_backward",
    f"(Tensor gradient, Tensor y, Tensor? bias, Tensor? scale, {_CONSTANTS}) -> (Tensor, Tensor, Tensor)",
    definition.bias_act_backward,
    lambda gradient, y, bias, scale, *rest: (
        torch.empty_like(y),
        y.new_empty(y.shape[2]),
        y.new_empty(scale.shape if scale is not None else 0),
    ),
)

implement("bias_act", device="cpu")(f"{__name__}.cpu:bias_act")
implement("bias_act", device="cuda", requires="triton")(f"{__name__}.triton:bias_act")
implement("bias_act_backward", device="cpu")(f"{__name__}.cpu:bias_act_backward")
implement("bias_act_backward", device="cuda", requires="triton")(f"{__name__}.triton:bias_act_backward")
