"""A factor for each channel of each sample: a style, on its way into a convolution.

    y = x · style

One pass; the backward pass reads the gradient and x once for both gradients.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor

from ..dispatch import on_cpu_backend
from ..operation import implement, register
from ..rows import as_rows, like, of_samples
from . import definition


def modulate(x: Tensor, style: Tensor) -> Tensor:
    """Feature maps `[N, C, H, W]` times style `[N, C]`, or `[N/k, C]`: one for k consecutive samples."""
    own = of_samples(style, x.shape[0])
    assert own is not None
    if on_cpu_backend(x):  # there, a custom op costs small networks as much as it saves large ones
        return x * own[:, :, None, None]
    return like(FORWARD(as_rows(x), own), x)


def _setup(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    ctx.save_for_backward(*inputs)


def _backward(ctx: Any, gradient: Tensor) -> tuple[Any, ...]:
    return BACKWARD.in_backward(gradient, *ctx.saved_tensors)


FORWARD = register(
    "modulate",
    "(Tensor x, Tensor style) -> Tensor",
    definition.modulate,
    lambda x, style: x.new_empty(x.shape),
    backward=_backward,
    setup=_setup,
)
BACKWARD = register(
    "modulate_backward",
    "(Tensor gradient, Tensor x, Tensor style) -> (Tensor, Tensor)",
    definition.modulate_backward,
    lambda gradient, x, style: (x.new_empty(x.shape), style.new_empty(style.shape)),
)

implement("modulate", device="cuda", requires="triton")(f"{__name__}.triton:modulate")
implement("modulate_backward", device="cuda", requires="triton")(f"{__name__}.triton:modulate_backward")
