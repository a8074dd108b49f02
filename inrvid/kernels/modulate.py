"""A factor for each channel of each sample: a style, on its way into a convolution.

    y = x · style

One pass; the backward pass reads the gradient and x once for both gradients.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from .bias_act import as_rows, like, of_samples
from .dispatch import path_for
from .operation import register


def modulate(x: Tensor, style: Tensor) -> Tensor:
    """Feature maps `[N, C, H, W]` times style `[N, C]`, or `[N/k, C]`: one for k consecutive samples."""
    own = of_samples(style, len(x))
    assert own is not None
    if path_for(x) == "cpu":  # there, a custom op costs small networks as much as it saves large ones
        return x * own[:, :, None, None]
    return like(FORWARD(as_rows(x), own), x)


def definition(x: Tensor, style: Tensor) -> Tensor:
    """Rows x `[N, M, C]`, style `[N, C]`."""
    return x * style[:, None]


def backward_definition(gradient: Tensor, x: Tensor, style: Tensor) -> tuple[Tensor, Tensor]:
    """Gradients of x and style."""
    return gradient * style[:, None], (gradient * x).sum(dim=1)


def _setup(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    ctx.save_for_backward(*inputs)


def _backward(ctx: Any, gradient: Tensor) -> tuple[Any, ...]:
    run: Any = backward_definition if torch.is_grad_enabled() else BACKWARD
    return run(gradient, *ctx.saved_tensors)


FORWARD = register(
    "modulate",
    "(Tensor x, Tensor style) -> Tensor",
    definition,
    None,
    lambda x, style: x.new_empty(x.shape),
    backward=_backward,
    setup=_setup,
)
BACKWARD = register(
    "modulate_backward",
    "(Tensor gradient, Tensor x, Tensor style) -> (Tensor, Tensor)",
    backward_definition,
    None,
    lambda gradient, x, style: (x.new_empty(x.shape), style.new_empty(style.shape)),
)
