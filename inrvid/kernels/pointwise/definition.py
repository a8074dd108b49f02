"""The pointwise layer in plain PyTorch."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from ..bias_act.definition import slopes_at


def pointwise(x: Tensor, weight: Tensor, bias: Tensor | None, slope: float) -> Tensor:
    y = x @ weight if bias is None else x @ weight + bias
    return F.leaky_relu(y, slope) if slope != 1 else y


def pointwise_backward(
    gradient: Tensor, x: Tensor, weight: Tensor, y: Tensor, slope: float, biased: bool
) -> tuple[Tensor, Tensor, Tensor]:
    """Gradients of x, weight and bias (empty without one), from those of y."""
    before = gradient * slopes_at(y, slope) if slope != 1 else gradient
    return before @ weight.mT, x.mT @ before, before.sum(dim=(0, 1)) if biased else before.new_empty(0)
