"""Linear layer with equalised learning rate (Karras et al., ICLR 2018)."""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..kernels.recording import is_recording
from .activation import GAIN, SLOPE


class EqLinear(nn.Module):
    """`[..., in_features]` → `[..., out_features]`.

    The weight is stored as N(0, 1)/lr_mult and used times lr_mult/√in_features, the bias times lr_mult: Adam's
    steps then have the same relative size for layers of any width.

    Args:
        lr_mult: learning rate multiplier.
        bias_init: initial value of the (effective) bias.
        activate: apply leaky ReLU (slope 0.2, gain √2).
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        *,
        bias: bool = True,
        bias_init: float = 0.0,
        lr_mult: float = 1.0,
        activate: bool = False,
    ):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(out_features, in_features).div_(lr_mult))
        self.bias = nn.Parameter(torch.full((out_features,), bias_init / lr_mult)) if bias else None
        self.weight_gain = lr_mult / math.sqrt(in_features)
        self.lr_mult = lr_mult
        self.activate = activate

    def forward(self, x: Tensor) -> Tensor:
        gain = GAIN if self.activate else 1.0  # homogeneous: the activation's gain is applied before it
        bias = None if self.bias is None else self.bias * (self.lr_mult * gain)
        # Here x has few rows: scaling it costs less than scaling the weight, whose gradient then needs no scaling.
        x = _product(x * (self.weight_gain * gain), self.weight, bias)
        return F.leaky_relu(x, SLOPE) if self.activate else x


class StyleAffine(EqLinear):
    """The layer where a style enters a backbone: w `[B, w_dim]`, perhaps with more appended → a layer's modulation.

    By this class, a generator knows which of its weights act on styles (`VideoGenerator.style_weights`).
    """


LARGE = 1 << 18
"""Number of elements from which reading the weight dominates the cost of a product with few rows."""

BLOCK = 128
"""Rows of such a weight that a core handles at a time."""


def _product(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """`F.linear`, replaced on a CPU when x has 2 to 16 rows: it reads a large weight several times too slowly there."""
    if not is_recording() and _has_few_rows(x):
        in_blocks = weight.numel() > LARGE and len(weight) % BLOCK == 0
        x = _FewRows.apply(x, weight) if in_blocks else (weight @ x.mT).mT
        return x if bias is None else x + bias
    return F.linear(x, weight, bias)


def _has_few_rows(x: Tensor) -> bool:
    return x.ndim == 2 and 1 < len(x) <= 16 and x.device.type == "cpu" and not torch.is_autocast_enabled("cpu")


class _FewRows(torch.autograd.Function):
    """x · Wᵀ and its gradients, as products with blocks of W's rows: two cores share one tall product badly."""

    @staticmethod
    def forward(x: Tensor, weight: Tensor) -> Tensor:
        blocks = weight.unflatten(0, (-1, BLOCK))  # [blocks, BLOCK, in]
        return torch.bmm(x.expand(len(blocks), -1, -1), blocks.mT).transpose(0, 1).flatten(1)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, Tensor], output: Tensor) -> None:
        ctx.save_for_backward(*inputs)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, Tensor | None]:
        x, weight = ctx.saved_tensors
        gradient = gradients[0].unflatten(1, (-1, BLOCK)).transpose(0, 1)  # [blocks, rows of x, BLOCK]
        of_x = of_weight = None
        if ctx.needs_input_grad[0]:
            of_x = torch.bmm(gradient, weight.unflatten(0, (-1, BLOCK))).sum(dim=0)
        if ctx.needs_input_grad[1]:  # not `@`, which would make one product of it again
            of_weight = torch.bmm(gradient.mT, x.expand(len(gradient), -1, -1)).flatten(0, 1)
        return of_x, of_weight
