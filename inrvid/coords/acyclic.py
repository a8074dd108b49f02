"""Acyclic positional encoding of time (StyleGAN-V, CVPR 2022, §3.1, eqs. 2–5, and appendix B.3, eq. 6).

Between two motion codes u_ℓ and u_r at times t_ℓ and t_r = t_ℓ + δ, with α = (t − t_ℓ)/δ:

    e(τ) = [sin ‖ cos](ω·s·τ + ρ),   s = tanh(W_ω u_ℓ) + 1,   ρ = (W_ρ u_ℓ)·(max_period / period)
    v(t) = e(t) − lerp(e(t_ℓ), e(t_r), α) + lerp(W_a u_ℓ, W_a u_r, α)

The wave vanishes at the codes, where v equals W_a u: v is continuous, and never repeats. (The release uses sine and
cosine without an amplitude; the paper uses a sine with a learned amplitude.)
"""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from ..layers.linear import EqLinear
from ..layers.tables import Tables

Spacing = Literal["log", "linear"]


class Codes(NamedTuple):
    """The motion codes around each time: two or more consecutive ones, `distance` frames apart, the first at `t_left`.

    `t`, `t_left` `[B, T]` in frames, `values` `[B, T, n, code_dim]`.
    """

    t: Tensor
    t_left: Tensor
    distance: float
    values: Tensor

    @property
    def left(self) -> Tensor:
        """The code at `t_left`, `[B, T, code_dim]`."""
        return self.values[:, :, 0]

    @property
    def right(self) -> Tensor:
        """The code after `left`, `[B, T, code_dim]`."""
        return self.values[:, :, 1]

    @property
    def weight(self) -> Tensor:
        """α `[B, T, 1]`: 0 at the left code, 1 at the right one."""
        return ((self.t - self.t_left) / self.distance)[..., None]


def periods(count: int, shortest: float, longest: float, spacing: Spacing) -> Tensor:
    """Periods in frames, float64 `[count]`.

    `log`: 2^linspace from the longest to the shortest, both included (release). `linear`: min + (i/N)·(max − min)
    (paper, appendix B.3, eq. 6).
    """
    if spacing == "linear":
        return shortest + torch.arange(count, dtype=torch.float64) / count * (longest - shortest)
    return torch.linspace(math.log2(longest), math.log2(shortest), count, dtype=torch.float64).exp2()


class AcyclicEncoding(Tables):
    """`Codes` → v `[B, T, width]`; width/2 frequencies, one more if the width is odd.

    Phases are computed in float64: in float32, codes an hour into a video would be inaccurate.
    """

    def __init__(self, code_dim: int, width: int, *, min_period: float, max_period: float, spacing: Spacing = "log"):
        super().__init__()
        count = -(-width // 2)
        self.width, self._periods = width, (count, min_period, max_period, spacing)
        self.period = EqLinear(code_dim, count, bias=False)
        self.phase = EqLinear(code_dim, count, bias=False)
        self.aligner = EqLinear(code_dim, width, bias=False)
        self.make_tables(self.period.weight.device)

    frequencies: Tensor
    """2π / period, float64."""
    phase_scale: Tensor
    """The longest period divided by each, float64."""

    def tables(self) -> dict[str, Tensor]:
        with torch.device("cpu"):
            own = periods(*self._periods)
        return {"frequencies": 2 * math.pi / own, "phase_scale": self._periods[2] / own}

    def forward(self, codes: Codes) -> Tensor:
        speed = self.frequencies.double() * (self.period(codes.left).double().tanh() + 1)  # [B, T, count]
        offset = self.phase(codes.left).double() * self.phase_scale.double()
        alpha = codes.weight
        left, now, right = (
            self._wave(speed, offset, time) for time in (codes.t_left, codes.t, codes.t_left + codes.distance)
        )
        wave = now - left.lerp(right, alpha.to(now.dtype).expand_as(now))
        aligned = self.aligner(codes.left).lerp(self.aligner(codes.right), alpha.to(codes.left.dtype))
        return wave.to(aligned.dtype) + aligned

    def _wave(self, speed: Tensor, offset: Tensor, time: Tensor) -> Tensor:
        phase = speed * time.double()[..., None] + offset
        return torch.cat([phase.sin(), phase.cos()], dim=-1)[..., : self.width]
