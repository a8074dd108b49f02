"""Motion along quadratic B-splines (StyleSV, ICLR 2023): codes are control points of a path without corners.

For the codes u_i, u_{i+1}, u_{i+2}, with i = ⌊t/δ⌋ and a = t/δ − i, the weights are

    β(a) = (1 − a)²/2,  (1 + 2a − 2a²)/2,  a²/2

which sum to 1, and whose slopes meet where one interval ends and the next begins: Σ β_k·u_{i+k} is C¹. With the waves
e_j(τ) = [sin ‖ cos](ω·s_j·τ + ρ_j) of code j, s_j = tanh(W_ω u_j) + 1, ρ_j = (W_ρ u_j)·(max_period / period), as in
StyleGAN-V's encoding, there are three ways to a motion code:

    waves     v(t) = Σ β_k·(e_{i+k}(t) + A·u_{i+k})
    splined   v(t) = [sin ‖ cos](ω·(Σ β_k·s_{i+k})·t + Σ β_k·ρ_{i+k}) + Σ β_k·A·u_{i+k}
    aligned   v(t) = e_i(t) − lerp(e_i(t_i), e_i(t_i + δ), a) + Σ β_k·A·u_{i+k}

`aligned` and `splined` (`bs_emb`) are StyleSV's. In `aligned` the wave is that of the first code alone, and its slope
jumps at each code as StyleGAN-V's does. `splined` is C¹, but speed changes from code to code and is multiplied by t:
the further out, the faster the waves run. `waves` is this package's: C¹, and as fast at t = 10⁶ as at 0.
"""

from __future__ import annotations

import math
from typing import ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from inrvid.plugins import Codes, Conv1dMotion, EqLinear, periods

Embedding = Literal["waves", "splined", "aligned"]


class BSplineMotion(Conv1dMotion):
    """Motion codes by 1-D convolutions over noise, quadratic B-splines between them."""

    source = "StyleSV (ICLR 2023)"
    test_settings: ClassVar = {"code_dim": 8, "kernel": 3}

    class Config(Conv1dMotion.Config):
        embedding: Embedding = Field(
            "waves",
            description="waves: each code's wave, splined (C¹ at any time); splined: period and phase splined "
            "(StyleSV's bs_emb); aligned: only the aligning codes splined (StyleSV)",
        )

    config: Config
    around = 3

    def encoding(self, width: int) -> nn.Module:
        return BSplineEncoding(self.config, width)


class BSplineEncoding(nn.Module):
    """`Codes` of three → v `[B, T, width]`; width/2 frequencies, one more if the width is odd. Phases in float64."""

    frequencies: Tensor
    phase_scale: Tensor

    def __init__(self, config: BSplineMotion.Config, width: int):
        super().__init__()
        self.width, self.embedding = width, config.embedding
        count = -(-width // 2)
        period = periods(count, config.min_period or config.distance, config.max_period, config.spacing)
        self.register_buffer("frequencies", 2 * math.pi / period, persistent=False)
        self.register_buffer("phase_scale", config.max_period / period, persistent=False)
        self.period = EqLinear(config.code_dim, count, bias=False)
        self.phase = EqLinear(config.code_dim, count, bias=False)
        self.aligner = EqLinear(config.code_dim, width, bias=False)

    def forward(self, codes: Codes) -> Tensor:
        weights = quadratic(codes.weight)  # [B, T, 3]
        wave = {"waves": self._waves, "splined": self._splined, "aligned": self._aligned}[self.embedding]
        # linear: aligning the codes' spline is the same as splining the aligned codes
        aligned = self.aligner(splined(weights, codes.values))
        return wave(codes, weights).to(aligned.dtype) + aligned

    def _waves(self, codes: Codes, weights: Tensor) -> Tensor:
        speed, offset = self._speed_and_offset(codes.values)
        return splined(weights, self._wave(speed, offset, codes.t[..., None]))

    def _splined(self, codes: Codes, weights: Tensor) -> Tensor:
        speed, offset = (splined(weights, of_codes) for of_codes in self._speed_and_offset(codes.values))
        return self._wave(speed, offset, codes.t)

    def _aligned(self, codes: Codes, weights: Tensor) -> Tensor:
        of_code = self._speed_and_offset(codes.left)
        times = codes.t_left, codes.t, codes.t_left + codes.distance
        left, now, right = (self._wave(*of_code, time) for time in times)
        return now - left.lerp(right, codes.weight.expand_as(now))

    def _speed_and_offset(self, u: Tensor) -> tuple[Tensor, Tensor]:
        """ω·s and ρ of codes `[…, code_dim]`, float64 `[…, count]`."""
        speed = self.frequencies.double() * (self.period(u).double().tanh() + 1)
        return speed, self.phase(u).double() * self.phase_scale.double()

    def _wave(self, speed: Tensor, offset: Tensor, time: Tensor) -> Tensor:
        phase = speed * time[..., None] + offset
        return torch.cat([phase.sin(), phase.cos()], dim=-1)[..., : self.width]


def quadratic(a: Tensor) -> Tensor:
    """Weights of three codes in a row at a `[…, 1]` of the interval, 0 ≤ a ≤ 1: `[…, 3]`."""
    return torch.cat([(1 - a).square() / 2, (1 + 2 * a - 2 * a.square()) / 2, a.square() / 2], dim=-1)


def splined(weights: Tensor, values: Tensor) -> Tensor:
    """Σ_k weights `[B, T, 3]` · values `[B, T, 3, n]`, in the precision of the values."""
    return (weights.to(values.dtype)[..., None] * values).sum(dim=2)
