"""Bias and activation in plain PyTorch."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor


def bias_act(x: Tensor, bias: Tensor | None, scale: Tensor | None, slope: float, gain: float, bound: float) -> Tensor:
    """Rows x `[N, M, C]`, bias `[C]`, scale `[N, C]`."""
    x = x if scale is None else x * scale[:, None]
    x = x if bias is None else x + bias
    x = (F.leaky_relu(x, slope) if slope != 1 else x) * gain
    return x if math.isinf(bound) else x.clamp(-bound, bound)


def bias_act_backward(
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


def slopes_at(y: Tensor, slope: float, gain: float = 1.0) -> Tensor:
    """The leaky ReLU's slope times gain, from its result; a constant."""
    return torch.full_like(y, gain * slope).masked_fill_(y.detach() > 0, gain)
