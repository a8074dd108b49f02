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

from .batches import sum_of_rows
from .dispatch import path_for
from .operation import register

SLOPE = 0.2
"""Of the leaky ReLU in the StyleGAN family."""

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
    return like(FORWARD(as_rows(x), bias, of_samples(scale, len(x)), slope, gain, bound), x)


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
    if scale is None and path_for(x) == "cpu":  # there, convolutions add the bias on their way, and sum its gradient
        # What is left is PyTorch's own, in place; a custom op costs small networks as much as the convolution.
        y = F.leaky_relu(F.conv2d(x, weight, bias, stride=stride, padding=padding), SLOPE, inplace=True)
        return y if math.isinf(bound) else y.clamp(-bound, bound)
    return bias_act(F.conv2d(x, weight, None, stride=stride, padding=padding), bias, scale, bound=bound)


def of_samples(scale: Tensor | None, samples: int) -> Tensor | None:
    """One row a sample, of a scale that has one for several consecutive samples."""
    if scale is None or len(scale) == samples:
        return scale
    if samples % max(len(scale), 1):
        raise ValueError(f"scale has {len(scale)} rows for {samples} samples: expected a divisor")
    return scale.repeat_interleave(samples // max(len(scale), 1), dim=0)


def definition(x: Tensor, bias: Tensor | None, scale: Tensor | None, slope: float, gain: float, bound: float) -> Tensor:
    """Rows x `[N, M, C]`, bias `[C]`, scale `[N, C]`."""
    x = x if scale is None else x * scale[:, None]
    x = x if bias is None else x + bias
    x = (F.leaky_relu(x, slope) if slope != 1 else x) * gain
    return x if math.isinf(bound) else x.clamp(-bound, bound)


def cpu(x: Tensor, bias: Tensor | None, scale: Tensor | None, slope: float, gain: float, bound: float) -> Tensor:
    y = torch.empty_like(x)
    write(x, bias, scale, slope, gain, bound, y)
    return y


def write(
    x: Tensor, bias: Tensor | None, scale: Tensor | None, slope: float, gain: float, bound: float, y: Tensor
) -> None:
    """The same into rows y, which may be x."""
    if bias is None and scale is None and gain == 1 and slope != 1:  # one step alone is its own piece
        return _activate(x, slope, bound, y)
    bias = None if bias is None else bias * gain
    for i, _, part, out in _pieces(x, y):
        if scale is not None:
            torch.mul(part, scale[i] * gain, out=out)
            if bias is not None:
                out += bias
        elif bias is not None:
            torch.add(bias, part, alpha=gain, out=out)
        else:
            torch.mul(part, gain, out=out)
        _activate(out, slope, bound, out)
    return None


def _activate(x: Tensor, slope: float, bound: float, y: Tensor) -> None:
    if slope != 1:
        torch.ops.aten.leaky_relu.out(x, slope, out=y)
    if not math.isinf(bound):
        y.clamp_(-bound, bound)


def backward_definition(
    gradient: Tensor, y: Tensor, bias: Tensor | None, scale: Tensor | None, slope: float, gain: float, bound: float
) -> tuple[Tensor, Tensor, Tensor]:
    """Gradients of x, bias `[C]` (0 without one) and scale `[N, C]` (empty), from the gradient of y and y itself."""
    slopes = slopes_at(y, slope, gain)
    inside = slopes if math.isinf(bound) else slopes * (y.detach().abs() < bound)
    before = gradient * inside
    of_bias = before.new_zeros(y.shape[2]) if bias is None else before.sum(dim=(0, 1))
    if scale is None:
        return before, of_bias, before.new_empty(0)
    x = (y / slopes if bias is None else y / slopes - bias) / scale[:, None]
    return before * scale[:, None], of_bias, (before * x).sum(dim=1)


def backward_cpu(
    gradient: Tensor, y: Tensor, bias: Tensor | None, scale: Tensor | None, slope: float, gain: float, bound: float
) -> tuple[Tensor, Tensor, Tensor]:
    wide = torch.promote_types(y.dtype, torch.float32)
    of_x, of_bias = torch.empty_like(y), y.new_zeros(y.shape[2], dtype=wide)
    of_scale = y.new_zeros(scale.shape if scale is not None else 0, dtype=wide)
    gradient = gradient.contiguous()
    for i, j, part, out in _pieces(y, of_x):
        own = gradient[i, j]
        if slope != 1:
            torch.ops.aten.leaky_relu_backward.grad_input(own, part, slope, True, grad_input=out)
        else:
            out.copy_(own)
        if not math.isinf(bound):
            out *= part.abs() < bound
        if gain != 1:
            out *= gain
        if bias is not None:
            of_bias += sum_of_rows(out, 0, wide)
        if scale is not None:
            # lrelu inverted: by its own slope on the negative side
            x = F.leaky_relu(part, 1 / slope) / gain if slope != 1 else part / gain
            x = x if bias is None else x - bias
            of_scale[i] += sum_of_rows(out * x, 0, wide)
            out *= scale[i]
    if scale is not None:
        of_scale /= scale
    return of_x, of_bias.to(y.dtype), of_scale.to(y.dtype)


def slopes_at(y: Tensor, slope: float, gain: float = 1.0) -> Tensor:
    """The leaky ReLU's slope times gain, from its result; a constant."""
    return torch.full_like(y, gain * slope).masked_fill_(y.detach() > 0, gain)


PIECE = 1 << 18
"""Numbers that the CPU handles at a time, so that several steps find them in the cache."""


def _pieces(x: Tensor, y: Tensor) -> Any:
    """(sample, slice of rows, that part of x, of y), for rows `[N, M, C]`."""
    step = max(1, PIECE // max(x.shape[2], 1))
    for i in range(x.shape[0]):
        for start in range(0, x.shape[1], step):
            j = slice(start, start + step)
            yield i, j, x[i, j], y[i, j]


def as_rows(x: Tensor) -> Tensor:
    """`[N, C, H, W]` or `[N, M, C]` → contiguous rows `[N, M, C]`; of channels-last memory, a view."""
    return (x.permute(0, 2, 3, 1).flatten(1, 2) if x.ndim == 4 else x).contiguous()


def like(rows: Tensor, x: Tensor) -> Tensor:
    """Rows in the shape of x."""
    return rows.unflatten(1, x.shape[2:]).permute(0, 3, 1, 2) if x.ndim == 4 else rows


def _setup(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    _, bias, scale, *ctx.constants = inputs
    ctx.save_for_backward(output, bias, scale)


def _backward(ctx: Any, gradient: Tensor) -> tuple[Any, ...]:
    run: Any = backward_definition if torch.is_grad_enabled() else BACKWARD
    y, bias, scale = ctx.saved_tensors
    of_x, of_bias, of_scale = run(gradient, y, bias, scale, *ctx.constants)
    return of_x, None if bias is None else of_bias, None if scale is None else of_scale, None, None, None


_CONSTANTS = "float slope, float gain, float bound"
FORWARD = register(
    "bias_act",
    f"(Tensor x, Tensor? bias, Tensor? scale, {_CONSTANTS}) -> Tensor",
    definition,
    cpu,
    lambda x, *rest: torch.empty_like(x),
    backward=_backward,
    setup=_setup,
)
BACKWARD = register(
    "bias_act_backward",
    f"(Tensor gradient, Tensor y, Tensor? bias, Tensor? scale, {_CONSTANTS}) -> (Tensor, Tensor, Tensor)",
    backward_definition,
    backward_cpu,
    lambda gradient, y, bias, scale, *rest: (
        torch.empty_like(y),
        y.new_empty(y.shape[2]),
        y.new_empty(scale.shape if scale is not None else 0),
    ),
)
