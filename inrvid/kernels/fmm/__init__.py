"""Weights of factorised multiplicative modulation (INR-GAN, CVPR 2021, §3.2): one matrix a video.

W' = W ⊙ (1 + L · R),   row o of the result: gain · W'_o / (‖W'_o‖₂ + 1e-8), transposed
"""

from __future__ import annotations

from typing import Any

from torch import Tensor

from ..operation import implement, register
from . import definition


def fmm_weight(weight: Tensor, left: Tensor, right: Tensor, gain: float = 1.0) -> Tensor:
    """weight `[out, in]`, left `[B, out, rank]`, right `[B, rank, in]` → `[B, in, out]`, contiguous.

    In float32 or more: squares of norms may exceed float16.
    """
    return FORWARD(weight, left, right, gain)


def _setup(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    *tensors, ctx.gain = inputs
    ctx.save_for_backward(*tensors)


def _backward(ctx: Any, gradient: Tensor) -> tuple[Any, ...]:
    return *BACKWARD.in_backward(gradient, *ctx.saved_tensors, ctx.gain), None


FORWARD = register(
    "fmm_weight",
    "(Tensor weight, Tensor left, Tensor right, float gain) -> Tensor",
    definition.fmm_weight,
    lambda weight, left, right, gain: weight.new_empty(len(left), *weight.mT.shape),
    backward=_backward,
    setup=_setup,
)
BACKWARD = register(
    "fmm_weight_backward",
    "(Tensor gradient, Tensor weight, Tensor left, Tensor right, float gain) -> (Tensor, Tensor, Tensor)",
    definition.fmm_weight_backward,
    lambda gradient, weight, left, right, gain: tuple(x.new_empty(x.shape) for x in (weight, left, right)),
)

implement("fmm_weight", device="cpu")(f"{__name__}.cpu:fmm_weight")
implement("fmm_weight", device="cuda", requires="triton")(f"{__name__}.triton:fmm_weight")
implement("fmm_weight_backward", device="cpu")(f"{__name__}.cpu:fmm_weight_backward")
