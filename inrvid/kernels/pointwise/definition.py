"""The pointwise layer in plain PyTorch."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from ..bias_act.definition import slopes_at


def pointwise(x: Tensor, weight: Tensor, bias: Tensor | None, slope: float) -> Tensor:
    y = x @ weight if bias is None else x @ weight + bias
    return F.leaky_relu(y, slope) if slope != 1 else y


def pointwise_backward(
    grad_y: Tensor, x: Tensor, weight: Tensor, y: Tensor, slope: float, biased: bool
) -> tuple[Tensor, Tensor, Tensor]:
    """Gradients of x, weight and bias (empty without one), from those of y."""
    grad_pre = grad_y * slopes_at(y, slope) if slope != 1 else grad_y  # of x · W + b, before the activation
    grad_bias = grad_pre.sum(dim=(0, 1)) if biased else grad_pre.new_empty(0)
    return grad_pre @ weight.mT, x.mT @ grad_pre, grad_bias
