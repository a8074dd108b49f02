"""A filter along one axis of planes, with up- and downsampling: what separable resampling is made of.

Zeros between samples (`up`), zeros around (or fewer samples), a FIR filter, every `down`-th result. Planes lie one
after another in memory, as pictures do; `upfirdn` is for feature maps, whose channels lie side by side. It is linear,
and its adjoint is another of the same kind, so that it is differentiable as often as one likes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from ..operation import implement, register
from . import definition


def fir(
    x: Tensor,
    taps: Sequence[float],
    axis: int,
    *,
    up: int = 1,
    down: int = 1,
    padding: Sequence[int] = (0, 0),
    gain: float = 1.0,
) -> Tensor:
    """Planes `[N, H, W]` → the same with axis 1 or 2 of length (up·n + p0 + p1 − taps)/down + 1.

    Args:
        taps: applied as a correlation.
        padding: (before, after), counted after upsampling; negative values crop.
        gain: factor of the result.
    """
    return FORWARD(x, list(taps), axis, up, down, list(padding), gain)


def _setup(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    x, *ctx.constants = inputs
    ctx.shapes = x.shape, output.shape


def _backward(ctx: Any, gradient: Tensor) -> tuple[Any, ...]:
    (taps, axis, up, down, padding, gain), (before, after) = ctx.constants, ctx.shapes
    rest = before[axis] * up - after[axis] * down + padding[0] - up + 1
    found = FORWARD(gradient, taps[::-1], axis, down, up, [len(taps) - 1 - padding[0], rest], gain)
    return found, None, None, None, None, None, None


def _fake(x: Tensor, taps: list[float], axis: int, up: int, down: int, padding: list[int], gain: float) -> Tensor:
    shape = list(x.shape)
    shape[axis] = definition.length(shape[axis], len(taps), up, down, padding)
    return x.new_empty(shape)


FORWARD = register(
    "fir",
    "(Tensor x, float[] taps, int axis, int up, int down, int[] padding, float gain) -> Tensor",
    definition.fir,
    _fake,
    backward=_backward,
    setup=_setup,
)
implement("fir", device="cpu")(f"{__name__}.cpu:fir")
implement("fir", device="cuda", requires="triton")(f"{__name__}.triton:fir")
