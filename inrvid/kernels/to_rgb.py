"""The skip architecture's sum of pictures: a matrix to 3 channels, bias, and the sum so far, doubled if need be.

    rgb(i, j) = x(i, j) · W + b + base(⌊i/k⌋, ⌊j/k⌋),   k = 1 or 2

Sums of pictures are kept in float32 at least, whatever the features' precision.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from .batches import add_products, multiply, pieces
from .inr_layer import doubled, halved
from .operation import register, shape_of


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


def definition(x: Tensor, weight: Tensor, bias: Tensor, base: Tensor | None) -> Tensor:
    rgb = (x.flatten(1, 3).to(weight.dtype) @ weight + bias).view(*x.shape[:4], 3)
    if base is None:
        return rgb
    return rgb + (base if base.shape == rgb.shape else doubled(base))


def cpu(x: Tensor, weight: Tensor, bias: Tensor, base: Tensor | None) -> Tensor:
    rgb = bias.expand(*x.shape[:4], 3).clone() if base is None else (base + bias).to(weight.dtype)
    if base is not None and base.shape[:4] != x.shape[:4]:
        rgb = doubled(rgb).contiguous()  # of a single point it is a view
    # The matrix transposed in memory: a product with three columns is several times slower the other way round.
    matrix = weight.mT.to(x.dtype, memory_format=torch.contiguous_format).mT
    own = x.new_empty(*rgb.shape)
    multiply(x.flatten(1, 3), matrix, None, own.flatten(1, 3))
    return rgb.add_(own)


def backward_definition(
    gradient: Tensor, x: Tensor, weight: Tensor, base: Tensor | None
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Gradients of x, weight, bias and base (empty without one), from those of the pictures."""
    rows, of_rows = x.flatten(1, 3), gradient.flatten(1, 3)
    of_x = (of_rows @ weight.mT).to(x.dtype).view(x.shape)
    of_weight = (rows.mT @ of_rows.to(x.dtype)).to(weight.dtype)
    return of_x, of_weight, *_of_bias_and_base(gradient, base)


def backward_cpu(
    gradient: Tensor, x: Tensor, weight: Tensor, base: Tensor | None
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    rows, of_rows = x.flatten(1, 3), gradient.flatten(1, 3)
    of_x = torch.empty_like(rows)
    # A fourth channel of zeros: products with three take up to twice as long.
    transposed = F.pad(weight, (0, 1)).mT.to(x.dtype)
    of_transposed = weight.new_zeros(transposed.shape)
    for videos, some in pieces(rows.shape[0], rows.shape[1], rows.shape[2], PIECE):
        padded = F.pad(of_rows[videos, some], (0, 1)).to(x.dtype)
        multiply(padded, transposed[videos], None, of_x[videos, some])
        add_products(of_transposed[videos], padded.mT, rows[videos, some])  # the other way round it is slower
    return of_x.view(x.shape), of_transposed[:, :3].mT, *_of_bias_and_base(gradient, base)


PIECE = 1 << 20
"""Numbers of x that the CPU handles at a time."""


def _of_bias_and_base(gradient: Tensor, base: Tensor | None) -> tuple[Tensor, Tensor]:
    of_bias = gradient.sum(dim=(0, 1, 2, 3))
    if base is None:
        return of_bias, gradient.new_empty(0)
    return of_bias, gradient.clone() if base.shape == gradient.shape else halved(gradient)


def _setup(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    x, weight, _, base = inputs
    ctx.has_base = base is not None
    ctx.save_for_backward(x, weight, shape_of(base))


def _backward(ctx: Any, gradient: Tensor) -> tuple[Any, ...]:
    run: Any = backward_definition if torch.is_grad_enabled() else BACKWARD
    of_x, of_weight, of_bias, of_base = run(gradient, *ctx.saved_tensors)
    return of_x, of_weight, of_bias, of_base if ctx.has_base else None


FORWARD = register(
    "to_rgb",
    "(Tensor x, Tensor weight, Tensor bias, Tensor? base) -> Tensor",
    definition,
    cpu,
    lambda x, weight, bias, base: weight.new_empty(*x.shape[:4], 3),
    backward=_backward,
    setup=_setup,
)
BACKWARD = register(
    "to_rgb_backward",
    "(Tensor gradient, Tensor x, Tensor weight, Tensor? base) -> (Tensor, Tensor, Tensor, Tensor)",
    backward_definition,
    backward_cpu,
    lambda gradient, x, weight, base: (
        torch.empty_like(x),
        weight.new_empty(weight.shape),
        weight.new_empty(3),
        gradient.new_empty(0 if base is None else base.shape),
    ),
)
