"""Half precision for part of a network: casts where values enter and leave it, and scaled gradients inside.

float16's smallest normal number is 6e-5, and gradients of single pixels fall below it. Between `enter` and `leave`
gradients are therefore multiplied by `GRADIENT_SCALE`. Each input of the part (features, weights, styles) divides its
gradient by it again, so that the rest of the network sees ordinary gradients. bfloat16 has float32's range and needs no
scale.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

GRADIENT_SCALE = 256.0

CLAMP = 256.0
"""Activations of networks with float16 blocks are clamped to ±256 times a layer's gain (StyleGAN2-ADA)."""


class _Cast(torch.autograd.Function):
    """A cast whose gradient is the cast back, times `scale`; differentiable twice."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, dtype: torch.dtype, scale: float) -> Tensor:
        ctx.dtype, ctx.scale = x.dtype, scale
        return x.to(dtype)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        (gradient,) = gradients
        if ctx.scale < 1:  # out of half precision: first the cast, then the division
            return _Cast.apply(gradient, ctx.dtype, 1 / ctx.scale) * ctx.scale, None, None
        return _Cast.apply(gradient * ctx.scale, ctx.dtype, 1 / ctx.scale), None, None


def enter(x: Tensor, dtype: torch.dtype) -> Tensor:
    """`x` as `dtype`; its gradient comes back unscaled."""
    if x.dtype == dtype:
        return x
    return _Cast.apply(x, dtype, 1 / GRADIENT_SCALE) if dtype == torch.float16 else x.to(dtype)


def leave(x: Tensor, dtype: torch.dtype) -> Tensor:
    """`x` (in half precision) as `dtype`; inside, its gradient is scaled."""
    if x.dtype == dtype:
        return x
    return _Cast.apply(x, dtype, GRADIENT_SCALE) if x.dtype == torch.float16 else x.to(dtype)


def to_precision(x: Tensor, dtype: torch.dtype) -> Tensor:
    """`x` as `dtype`, into half precision or out of it."""
    return leave(x, dtype) if x.dtype in (torch.float16, torch.bfloat16) else enter(x, dtype)


def outside(x: Tensor, inside: torch.dtype) -> Tensor:
    """Pass an input in its own precision into a half-precision operation: its gradient comes back unscaled."""
    return _Cast.apply(x, x.dtype, 1 / GRADIENT_SCALE) if inside == torch.float16 else x


def to_outside(x: Tensor, inside: torch.dtype) -> Tensor:
    """Pass a result in its own precision out of a half-precision operation: inside, its gradient is scaled."""
    return _Cast.apply(x, x.dtype, GRADIENT_SCALE) if inside == torch.float16 else x


def half_dtypes(resolutions: list[int], count: int, name: str) -> dict[int, torch.dtype | None]:
    """Precision of each resolution's block: half (`name`) for the `count` highest, None (the parameters') else."""
    highest = sorted(resolutions)[-count:] if count else []
    return {r: getattr(torch, name) if r in highest else None for r in resolutions}


def needs_clamp(count: int, name: str) -> bool:
    """Whether networks with that many blocks in that half precision keep their activations within float16's range."""
    return count > 0 and name == "float16"


SLOW_ON_CPU = {torch.float16} | (
    {torch.bfloat16} if torch.backends.cpu.get_cpu_capability() in ("DEFAULT", "NO AVX", "AVX2") else set()
)
"""Half precisions in which this machine's CPU is tens to hundreds of times slower than in float32: bfloat16 needs
AVX-512 or SVE."""

EMULATE = False
"""Whether CPUs run even the precisions that are slow on them, as in tests."""


def block_dtype(dtype: torch.dtype | None, parameter: Tensor) -> torch.dtype:
    """The precision in which a block made for `dtype` (None: the parameters') runs on a parameter's device."""
    if dtype is None or (dtype in SLOW_ON_CPU and parameter.device.type == "cpu" and not EMULATE):
        return parameter.dtype
    return dtype
