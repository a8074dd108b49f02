"""Channels times their factors in plain PyTorch."""

from __future__ import annotations

from torch import Tensor


def modulate(x: Tensor, style: Tensor) -> Tensor:
    """Rows x `[N, M, C]`, style `[N, C]`."""
    return x * style[:, None]


def modulate_backward(gradient: Tensor, x: Tensor, style: Tensor) -> tuple[Tensor, Tensor]:
    """Gradients of x and style."""
    return gradient * style[:, None], (gradient * x).sum(dim=1)
