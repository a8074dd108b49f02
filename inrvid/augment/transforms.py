"""Homogeneous matrices of many clips at once: 2-D (`[B, 3, 3]`) and of colours (`[B, 4, 4]`)."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def matrix(rows: list[list[Tensor | float]]) -> Tensor:
    """`[B, n, n]` of entries that are `[B]` tensors or numbers (at least one is a tensor)."""
    like = next(entry for row in rows for entry in row if isinstance(entry, Tensor))
    return torch.stack(
        [torch.stack([torch.as_tensor(entry, dtype=like.dtype).expand_as(like) for entry in row], -1) for row in rows],
        -2,
    )


def translation(x: Tensor, y: Tensor) -> Tensor:
    return matrix([[1.0, 0.0, x], [0.0, 1.0, y], [0.0, 0.0, 1.0]])


def scaling(x: Tensor, y: Tensor) -> Tensor:
    return matrix([[x, 0.0, 0.0], [0.0, y, 0.0], [0.0, 0.0, 1.0]])


def rotation(angle: Tensor) -> Tensor:
    cos, sin = angle.cos(), angle.sin()
    return matrix([[cos, -sin, 0.0], [sin, cos, 0.0], [0.0, 0.0, 1.0]])


def grey_projection() -> Tensor:
    """v·vᵀ of the grey axis v = (1, 1, 1, 0)/√3, `[4, 4]`."""
    v = torch.tensor([1.0, 1.0, 1.0, 0.0]) / math.sqrt(3)
    return torch.outer(v, v)


def color_shift(amount: Tensor) -> Tensor:
    return matrix([[1.0, 0.0, 0.0, amount], [0.0, 1.0, 0.0, amount], [0.0, 0.0, 1.0, amount], [0.0, 0.0, 0.0, 1.0]])


def color_scale(factor: Tensor) -> Tensor:
    return matrix([[factor, 0.0, 0.0, 0.0], [0.0, factor, 0.0, 0.0], [0.0, 0.0, factor, 0.0], [0.0, 0.0, 0.0, 1.0]])


def hue_rotation(angle: Tensor) -> Tensor:
    """Right-handed about the grey axis: +120° sends red to green."""
    cos, sin = angle.cos(), angle.sin() / math.sqrt(3)
    on, up, down = (1 + 2 * cos) / 3, (1 - cos) / 3 + sin, (1 - cos) / 3 - sin
    rows: list[list[Tensor | float]] = [[on, down, up, 0.0], [up, on, down, 0.0], [down, up, on, 0.0]]
    return matrix([*rows, [0.0, 0.0, 0.0, 1.0]])
