"""The sum of pictures, with products in the layout that is fastest on the CPU."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from ..batches import add_products, multiply, pieces
from ..inr_layer.definition import doubled
from .definition import of_bias_and_base


def to_rgb(x: Tensor, weight: Tensor, bias: Tensor, base: Tensor | None) -> Tensor:
    rgb = bias.expand(*x.shape[:4], 3).clone() if base is None else (base + bias).to(weight.dtype)
    if base is not None and base.shape[:4] != x.shape[:4]:
        rgb = doubled(rgb).contiguous()  # of a single point it is a view
    # The matrix transposed in memory: a product with three columns is several times slower the other way round.
    matrix = weight.mT.to(x.dtype, memory_format=torch.contiguous_format).mT
    own = x.new_empty(*rgb.shape)
    multiply(x.flatten(1, 3), matrix, None, own.flatten(1, 3))
    return rgb.add_(own)


def to_rgb_backward(
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
    return of_x.view(x.shape), of_transposed[:, :3].mT, *of_bias_and_base(gradient, base)


PIECE = 1 << 20
"""Numbers of x that the CPU handles at a time."""
