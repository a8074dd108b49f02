"""The transposed convolution with stride 2 of upsampling layers, its adjoint, and the gradient of their weight.

With W `[S, L, k, k]`, a large map `[N, L, H, W]` and a small one `[N, S, h, w]`, the three operations are the partial
derivatives of one form, linear in each: ⟨small, shrink(large, W)⟩ = ⟨large, grow(small, W)⟩ = ⟨W, correlate(large,
small)⟩. The derivatives of each are therefore the two others, as often as one likes.

They exist for the CPU's sake: there PyTorch takes up to four times as long for the weight's gradient in float32 as for
the others, and in bfloat16 up to 40 % longer for the gradient of `grow`'s map than for the convolution that it is
(in channels-last memory, at the sizes of generators).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from ..dispatch import on_cpu_backend
from ..operation import implement, register
from . import definition
from .definition import STRIDE


def grow(small: Tensor, weight: Tensor) -> Tensor:
    """A transposed convolution with stride 2: `[N, S, h, w]` → `[N, L, 2(h − 1) + k, …]`; weight `[S, L, k, k]`."""
    if not _own_gradient(small, weight):
        return F.conv_transpose2d(small, weight, stride=STRIDE)
    return GROW(small, weight, [STRIDE * (n - 1) + weight.shape[2] for n in small.shape[2:]])


def _own_gradient(x: Tensor, weight: Tensor) -> bool:
    """Whether gradients faster than PyTorch's will be worth a custom op's cost."""
    if x.device.type != "cpu" or x.dtype not in (torch.float32, torch.bfloat16) or torch.is_autocast_enabled("cpu"):
        return False
    wanted = torch.is_grad_enabled() and weight.requires_grad
    return wanted and x.numel() >= WORTHWHILE and on_cpu_backend(x)


WORTHWHILE = 1 << 18
"""Size of the small map, in numbers, from which they are worth it."""


def _setup(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    """For all three operations: save the two tensors that the result is linear in."""
    ctx.save_for_backward(*inputs[:2])


def _shrink_backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
    large, weight = ctx.saved_tensors
    of_large, of_weight = ctx.needs_input_grad
    return (
        GROW(gradient, weight, list(large.shape[2:])) if of_large else None,
        CORRELATE(large, gradient, weight.shape[2]) if of_weight else None,
    )


def _grow_backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
    small, weight = ctx.saved_tensors
    of_small, of_weight, _ = ctx.needs_input_grad
    return (
        SHRINK(gradient, weight) if of_small else None,
        CORRELATE(gradient, small, weight.shape[2]) if of_weight else None,
        None,
    )


def _correlate_backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
    large, small = ctx.saved_tensors
    of_large, of_small, _ = ctx.needs_input_grad
    return (
        GROW(small, gradient, list(large.shape[2:])) if of_large else None,
        SHRINK(large, gradient) if of_small else None,
        None,
    )


def _map(x: Tensor, channels: int, size: Sequence[int]) -> Tensor:
    return x.new_empty(len(x), channels, *size).contiguous(memory_format=torch.channels_last)


SHRINK = register(
    "shrink",
    "(Tensor large, Tensor weight) -> Tensor",
    definition.shrink,
    lambda large, weight: _map(large, len(weight), [(n - weight.shape[2]) // STRIDE + 1 for n in large.shape[2:]]),
    backward=_shrink_backward,
    setup=_setup,
)
GROW = register(
    "grow",
    "(Tensor small, Tensor weight, SymInt[] size) -> Tensor",
    definition.grow,
    lambda small, weight, size: _map(small, weight.shape[1], size),
    backward=_grow_backward,
    setup=_setup,
)
CORRELATE = register(
    "correlate",
    "(Tensor large, Tensor small, int k) -> Tensor",
    definition.correlate,
    lambda large, small, k: large.new_empty(small.shape[1], large.shape[1], k, k).contiguous(
        memory_format=torch.channels_last
    ),
    backward=_correlate_backward,
    setup=_setup,
)
implement("correlate", device="cpu")(f"{__name__}.cpu:correlate")
