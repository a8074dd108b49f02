"""The layer with its embedding written for all points."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from ..bias_act.definition import slopes_at


def inr_layer(
    coarse: Tensor | None,
    origin: Tensor,
    down: Tensor,
    right: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    height: int,
    width: int,
    slope: float,
) -> Tensor:
    phase, _, _ = _phases(origin, down, right, height, width)
    embedding = torch.cat([phase.sin(), phase.cos()], dim=-1).to(weight.dtype)
    y = (embedding.flatten(1, 3) @ weight).view(*embedding.shape[:4], weight.shape[2])
    y = y if bias is None else y + bias
    y = y if coarse is None else y + doubled(coarse)
    return F.leaky_relu(y, slope) if slope != 1 else y


def _phases(origin: Tensor, down: Tensor, right: Tensor, height: int, width: int) -> tuple[Tensor, Tensor, Tensor]:
    """(phases `[B, T, height, width, d]`, rows' and columns' numbers)."""
    i, j = (torch.arange(n, device=origin.device, dtype=origin.dtype) for n in (height, width))
    along_y = i[:, None] * down[:, None]  # [B, height, d]
    along_x = j[:, None] * right[:, None]
    return origin[:, :, None, None] + along_y[:, None, :, None] + along_x[:, None, None], i, j


def doubled(x: Tensor) -> Tensor:
    """`[B, T, h, w, C]` → `[B, T, 2h, 2w, C]`, each point four times."""
    return x[:, :, :, None, :, None].expand(-1, -1, -1, 2, -1, 2, -1).flatten(4, 5).flatten(2, 3)


def halved(x: Tensor) -> Tensor:
    """The adjoint of `doubled`, of one or more frames `[..., 2h, 2w, C]`: sums of 2×2 points."""
    x = x.unflatten(-3, (-1, 2))
    x = (x[..., 0, :, :] + x[..., 1, :, :]).unflatten(-2, (-1, 2))
    return x[..., 0, :] + x[..., 1, :]


def inr_layer_backward(
    gradient: Tensor,
    y: Tensor,
    coarse: Tensor | None,
    origin: Tensor,
    down: Tensor,
    right: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    height: int,
    width: int,
    slope: float,
) -> tuple[Tensor, ...]:
    """Gradients of coarse (empty without one), origin, down, right, weight and bias, from those of y."""
    before = gradient * slopes_at(y, slope)
    of_coarse = halved(before) if coarse is not None else gradient.new_empty(0)
    phase, i, j = _phases(origin, down, right, height, width)
    sin, cos = phase.sin(), phase.cos()
    embedding = torch.cat([sin, cos], dim=-1).to(weight.dtype).flatten(1, 3)
    rows = before.flatten(1, 3)
    of_sin, of_cos = (rows @ weight.mT).to(phase.dtype).view(*phase.shape[:-1], weight.shape[1]).chunk(2, dim=-1)
    of_phase = of_sin * cos - of_cos * sin
    of_down = (of_phase.sum(dim=(1, 3)) * i[:, None]).sum(dim=1)
    of_right = (of_phase.sum(dim=(1, 2)) * j[:, None]).sum(dim=1)
    return of_coarse, of_phase.sum(dim=(2, 3)), of_down, of_right, embedding.mT @ rows, rows.sum(dim=(0, 1))
