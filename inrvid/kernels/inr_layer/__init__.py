"""The layer of a coordinate network that takes its coordinates in.

    y(i, j, t) = lrelu(coarse(⌊i/2⌋, ⌊j/2⌋, t) + [sin ‖ cos](p(i, j, t)) · W + b),   p = origin(t) + i·down + j·right

`coarse` is what the layer made of the features before they were doubled (a pointwise layer commutes with
nearest-neighbour doubling). The embedding [sin ‖ cos] of a point is as wide as its features; only the
definition stores it for all points.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from torch import Tensor

from ..dispatch import FULL, HALF
from ..operation import implement, register, shape_of
from . import definition
from .definition import doubled, halved

__all__ = ["Phase", "doubled", "halved", "inr_layer"]


class Phase(NamedTuple):
    """Phases affine along each axis: origin `[B, T, d]` + row·down `[B, d]` + column·right `[B, d]`, radians."""

    origin: Tensor
    down: Tensor
    right: Tensor


def inr_layer(
    coarse: Tensor | None,
    phase: Phase,
    weight: Tensor,
    bias: Tensor | None,
    height: int,
    width: int,
    *,
    slope: float = 0.2,
) -> Tensor:
    """→ features `[B, T, height, width, out]` in the weight's precision.

    Args:
        coarse: `[B, T, height/2, width/2, out]`, or none.
        phase: in float32 or more.
        weight: `[B, 2d, out]`: rows of the sines, then of the cosines.
        bias: `[out]`.
        slope: of the leaky ReLU; 1: no activation.

    Raises:
        ValueError: coarse is not half as high and wide.
    """
    if coarse is not None and (2 * coarse.shape[2], 2 * coarse.shape[3]) != (height, width):
        raise ValueError(f"coarse is {tuple(coarse.shape[2:4])}: expected half of {(height, width)}")
    return FORWARD(coarse, *phase, weight, bias, height, width, slope)


def _setup(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    coarse, *tensors, ctx.height, ctx.width, ctx.slope = inputs
    ctx.save_for_backward(output, shape_of(coarse), *tensors)


def _backward(ctx: Any, gradient: Tensor) -> tuple[Any, ...]:
    saved = ctx.saved_tensors  # once: to read them again is an error under `torch.utils.checkpoint`
    found = BACKWARD.in_backward(gradient, *saved, ctx.height, ctx.width, ctx.slope)
    return *(None if x is None else g for x, g in zip(saved[1:], found, strict=True)), None, None, None


_TENSORS = "Tensor? coarse, Tensor origin, Tensor down, Tensor right, Tensor weight, Tensor? bias"
_CONSTANTS = "int height, int width, float slope"
FORWARD = register(
    "inr_layer",
    f"({_TENSORS}, {_CONSTANTS}) -> Tensor",
    definition.inr_layer,
    lambda coarse, origin, down, right, weight, bias, height, width, slope: weight.new_empty(
        *origin.shape[:2], height, width, weight.shape[2]
    ),
    backward=_backward,
    setup=_setup,
)
BACKWARD = register(
    "inr_layer_backward",
    f"(Tensor gradient, Tensor y, {_TENSORS}, {_CONSTANTS}) -> (Tensor, Tensor, Tensor, Tensor, Tensor, Tensor)",
    definition.inr_layer_backward,
    lambda gradient, y, coarse, origin, down, right, weight, bias, *rest: (
        y.new_empty(0 if coarse is None else coarse.shape),
        *(x.new_empty(x.shape) for x in (origin, down, right, weight)),
        y.new_empty(y.shape[-1]),
    ),
)

implement("inr_layer", device="cpu")(f"{__name__}.cpu:inr_layer")
implement("inr_layer", device="cuda", dtypes=FULL, requires="triton")(f"{__name__}.triton:inr_layer")
# On chips without tensor cores for bfloat16, values of half precision do not fit the registers.
implement("inr_layer", device="cuda", capability=(8, 0), dtypes=HALF, requires="triton")(f"{__name__}.triton:inr_layer")
implement("inr_layer_backward", device="cpu")(f"{__name__}.cpu:inr_layer_backward")
implement("inr_layer_backward", device="cuda", requires="triton")(f"{__name__}.triton:inr_layer_backward")
