"""A bank of low-passes as functions of real time (LongVideoGAN, NeurIPS 2022).

Each filter is one continuous kernel, stretched to its period r, in frames:

    h(τ) = c·sinc(4τ/r)·I₀(β·√(1 − (4τ/r)²))   for |τ| < r/4, else 0

This is the windowed sinc of cutoff 2 and Kaiser width 12 at the sampling rate r with ⌈r/2⌉ taps; r/4 is the sinc's
first zero, so that h is continuous; c makes its norm over whole frames 1. So filtered, N(0, 1) noise stays N(0, 1) at
any t: h is so smooth that its norm is the same wherever between two frames it is sampled.

That also makes the taps at t = ⌊t⌋ + f polynomials in f, to a few millionths of their norm: they are computed once, as
Chebyshev coefficients, and a time costs one product with a window of noises and no evaluation of Bessel functions.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from inrvid.plugins import periods

SHORTEST = 16
"""Frames. Kernels of shorter periods are too sharp to be sampled at whole frames."""

CUTOFF, WIDTH = 2.0, 12.0
"""Cutoff of the low-pass and width of its transition, in cycles per period."""

ATTENUATION = 2.285 * math.pi * WIDTH + 7.95
BETA = 0.1102 * (ATTENUATION - 8.7)
"""Kaiser's formulas, for r/2 taps."""

DEGREE = 5
"""Degree of the polynomials in f: an error of 7e-6 of a tap vector's norm at the shortest period, less at others."""


def kernel(time: Tensor, period: Tensor) -> Tensor:
    """h without its factor c at `time`, frames, for filters of `period`."""
    x = 2 * CUTOFF * time / period
    window = torch.special.i0(BETA * (1 - x.square()).clamp(min=0).sqrt())
    return torch.where(x.abs() < 1, torch.sinc(x) * window, 0.0)


class LowPassBank(nn.Module):
    """Windows of noise around times → filtered noise.

    Args:
        filters: number of filters, with periods from `longest` to `shortest`, frames, at equal ratios.
    """

    taps: Tensor

    def __init__(self, filters: int, shortest: float, longest: float):
        super().__init__()
        self.reach = math.ceil(longest / 4)
        """Frames to either side that the longest filter sees."""
        taps = _chebyshev(periods(filters, shortest, longest, "log"), self.reach)
        self.register_buffer("taps", taps.float(), persistent=False)

    @property
    def length(self) -> int:
        """Noises in a window: those of the frames ⌊t⌋ − reach + 1 … ⌊t⌋ + reach."""
        return 2 * self.reach

    def forward(self, windows: Tensor, fraction: Tensor) -> Tensor:
        """windows `[B, T, length, noises]`, fraction f = t − ⌊t⌋ `[B, T]` → `[B, T, filters, noises]`."""
        degrees = torch.arange(len(self.taps), device=fraction.device)
        basis = (degrees * torch.acos(1 - 2 * fraction.double())[..., None]).cos().to(windows.dtype)
        terms = self.taps.to(windows.dtype).flatten(0, 1) @ windows  # [B, T, degrees·filters, noises]
        return (basis[..., None, None] * terms.unflatten(2, self.taps.shape[:2])).sum(dim=2)


def _chebyshev(period: Tensor, reach: int) -> Tensor:
    """Coefficients `[DEGREE + 1, filters, 2·reach]` of T_0, T_1, … at 1 − 2f of all taps, from their values where
    cos(π·p/DEGREE) = 1 − 2f: f = 0 and f = 1 are among them, so that filtered noise is continuous at whole frames."""
    order = torch.arange(DEGREE + 1, dtype=torch.float64)
    halves = torch.ones_like(order)
    halves[0] = halves[-1] = 0.5
    transform = torch.outer(order, order).mul(math.pi / DEGREE).cos() * torch.outer(halves, halves) * (2 / DEGREE)
    fractions = (1 - (order * math.pi / DEGREE).cos()) / 2
    frames = torch.arange(2 * reach, dtype=torch.float64) - (reach - 1)
    values = kernel(fractions[:, None, None] - frames, period[:, None])  # [points, filters, length]
    values = values / values[0].norm(dim=-1, keepdim=True)
    return torch.tensordot(transform, values, dims=1)
