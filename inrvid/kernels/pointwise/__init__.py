"""A pointwise layer whose matrix belongs to the video: matrix product, bias and leaky ReLU.

    y = lrelu(x · W + b)

The backward pass needs x, W and y.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ..dispatch import FULL, HALF, on_cpu_backend
from ..operation import implement, register, shape_of
from . import definition


def pointwise(x: Tensor, weight: Tensor, bias: Tensor | None = None, *, slope: float = 1.0) -> Tensor:
    """Rows x `[B, M, in]` times weight `[B, in, out]`, plus bias `[out]` → `[B, M, out]`; slope 1: no activation."""
    return FORWARD(x, weight, bias, slope)


def for_inference(weight: Tensor) -> Tensor:
    """A weight `[B, in, out]` for use in many products, in the memory layout with which they are fastest here."""
    return weight.mT.contiguous().mT if on_cpu_backend(weight) and not torch.is_grad_enabled() else weight


def _setup(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    x, weight, bias, ctx.slope = inputs
    ctx.biased = bias is not None
    ctx.save_for_backward(x, weight, output if ctx.slope != 1 else shape_of(output))


def _backward(ctx: Any, gradient: Tensor) -> tuple[Any, ...]:
    of_x, of_weight, of_bias = BACKWARD.in_backward(gradient, *ctx.saved_tensors, ctx.slope, ctx.biased)
    return of_x, of_weight, of_bias if ctx.biased else None, None


FORWARD = register(
    "pointwise",
    "(Tensor x, Tensor weight, Tensor? bias, float slope) -> Tensor",
    definition.pointwise,
    lambda x, weight, bias, slope: x.new_empty(*x.shape[:2], weight.shape[2]),
    backward=_backward,
    setup=_setup,
)
BACKWARD = register(
    "pointwise_backward",
    "(Tensor gradient, Tensor x, Tensor weight, Tensor y, float slope, bool biased) -> (Tensor, Tensor, Tensor)",
    definition.pointwise_backward,
    lambda gradient, x, weight, y, slope, biased: (
        x.new_empty(x.shape),
        weight.new_empty(weight.shape),
        weight.new_empty(weight.shape[2] if biased else 0),
    ),
)

implement("pointwise", device="cpu")(f"{__name__}.cpu:pointwise")
implement("pointwise", device="cuda", dtypes=FULL, requires="triton")(f"{__name__}.triton:pointwise")
# On chips without tensor cores for bfloat16, values of half precision do not fit the registers.
implement("pointwise", device="cuda", capability=(8, 0), dtypes=HALF, requires="triton")(f"{__name__}.triton:pointwise")
implement("pointwise_backward", device="cpu")(f"{__name__}.cpu:pointwise_backward")
implement("pointwise_backward", device="cuda", requires="triton")(f"{__name__}.triton:pointwise_backward")
