"""Bias and activation a few rows at a time, so that several steps find them in the cache."""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from ..batches import sum_of_rows


def bias_act(x: Tensor, bias: Tensor | None, scale: Tensor | None, slope: float, gain: float, bound: float) -> Tensor:
    y = torch.empty_like(x)
    write(x, bias, scale, slope, gain, bound, y)
    return y


def write(
    x: Tensor, bias: Tensor | None, scale: Tensor | None, slope: float, gain: float, bound: float, y: Tensor
) -> None:
    """Write the result of `bias_act` into rows y, which may be x."""
    if bias is None and scale is None and gain == 1 and slope != 1:  # a single step needs no pieces
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


def bias_act_backward(
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


PIECE = 1 << 18
"""Numbers that the CPU handles at a time, so that several steps find them in the cache."""


def _pieces(x: Tensor, y: Tensor) -> Any:
    """(sample, slice of rows, that part of x, of y), for rows `[N, M, C]`."""
    step = max(1, PIECE // max(x.shape[2], 1))
    for i in range(x.shape[0]):
        for start in range(0, x.shape[1], step):
            j = slice(start, start + step)
            yield i, j, x[i, j], y[i, j]
