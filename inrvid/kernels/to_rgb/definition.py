"""The sum of pictures in plain PyTorch."""

from __future__ import annotations

from torch import Tensor

from ..inr_layer.definition import doubled, halved


def to_rgb(x: Tensor, weight: Tensor, bias: Tensor, base: Tensor | None) -> Tensor:
    rgb = (x.flatten(1, 3).to(weight.dtype) @ weight + bias).view(*x.shape[:4], 3)
    if base is None:
        return rgb
    return rgb + (base if base.shape == rgb.shape else doubled(base))


def to_rgb_backward(
    gradient: Tensor, x: Tensor, weight: Tensor, base: Tensor | None
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Gradients of x, weight, bias and base (empty without one), from those of the pictures."""
    rows, of_rows = x.flatten(1, 3), gradient.flatten(1, 3)
    of_x = (of_rows @ weight.mT).to(x.dtype).view(x.shape)
    of_weight = (rows.mT @ of_rows.to(x.dtype)).to(weight.dtype)
    return of_x, of_weight, *of_bias_and_base(gradient, base)


def of_bias_and_base(gradient: Tensor, base: Tensor | None) -> tuple[Tensor, Tensor]:
    of_bias = gradient.sum(dim=(0, 1, 2, 3))
    if base is None:
        return of_bias, gradient.new_empty(0)
    return of_bias, gradient.clone() if base.shape == gradient.shape else halved(gradient)
