"""The skip architecture's sum of pictures: a matrix to 3 channels, bias, and the sum so far, doubled if need be.

    rgb(i, j) = x(i, j) · W + b + base(⌊i/k⌋, ⌊j/k⌋),   k = 1 or 2

Sums of pictures are kept in float32 at least, whatever the features' precision.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ..operation import implement, register, shape_of
from . import definition


def to_rgb(x: Tensor, weight: Tensor, bias: Tensor, base: Tensor | None = None) -> Tensor:
    """Features `[B, T, H, W, C]` → pictures `[B, T, H, W, 3]`.

    Args:
        weight: `[B, C, 3]`, bias: `[3]`; both in float32 or more, the precision of the result.
        base: `[B, T, H, W, 3]`, or `[B, T, H/2, W/2, 3]`, which is doubled by nearest neighbour.

    Raises:
        ValueError: base has another size.
    """
    if base is not None and base.shape[2:4] not in (x.shape[2:4], (x.shape[2] / 2, x.shape[3] / 2)):
        raise ValueError(f"base is {tuple(base.shape[2:4])}: expected {tuple(x.shape[2:4])} or half of it")
    return FORWARD(x, weight, bias, base)


def _setup(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    x, weight, _, base = inputs
    ctx.has_base = base is not None
    ctx.save_for_backward(x, weight, shape_of(base))


def _backward(ctx: Any, gradient: Tensor) -> tuple[Any, ...]:
    of_x, of_weight, of_bias, of_base = BACKWARD.in_backward(gradient, *ctx.saved_tensors)
    return of_x, of_weight, of_bias, of_base if ctx.has_base else None


FORWARD = register(
    "to_rgb",
    "(Tensor x, Tensor weight, Tensor bias, Tensor? base) -> Tensor",
    definition.to_rgb,
    lambda x, weight, bias, base: weight.new_empty(*x.shape[:4], 3),
    backward=_backward,
    setup=_setup,
)
BACKWARD = register(
    "to_rgb_backward",
    "(Tensor gradient, Tensor x, Tensor weight, Tensor? base) -> (Tensor, Tensor, Tensor, Tensor)",
    definition.to_rgb_backward,
    lambda gradient, x, weight, base: (
        torch.empty_like(x),
        weight.new_empty(weight.shape),
        weight.new_empty(3),
        gradient.new_empty(0 if base is None else base.shape),
    ),
)

implement("to_rgb", device="cpu")(f"{__name__}.cpu:to_rgb")
implement("to_rgb", device="cuda", requires="triton")(f"{__name__}.triton:to_rgb")
implement("to_rgb_backward", device="cpu")(f"{__name__}.cpu:to_rgb_backward")
implement("to_rgb_backward", device="cuda", requires="triton")(f"{__name__}.triton:to_rgb_backward")
