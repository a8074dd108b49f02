"""The moving average of the generator's weights, which is what is published."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from ..recipe.schema import TrainConfig
from ..schedule import value_at


class MovingAverage:
    """An exponential moving average with a half-life in clips, shorter at the start of a run (ramp-up)."""

    def __init__(self, module: nn.Module, config: TrainConfig):
        self.module = copy.deepcopy(module).eval().requires_grad_(False)
        self.kclips = config.ema_kclips
        # A run that begins from trained weights has no untrained ones to forget.
        self.rampup = config.ema_rampup if config.init is None else 0.0

    @torch.no_grad()
    def update(self, source: nn.Module, *, clips: int, clips_seen: int) -> None:
        """Update after a step of `clips` clips; `clips_seen`: the number before it."""
        half_life = 1000 * value_at(self.kclips, clips_seen)
        half_life = min(half_life, self.rampup * clips_seen) if self.rampup else half_life
        keep = 0.5 ** (clips / half_life) if half_life > 0 else 0.0
        averages: list[Tensor] = list(self.module.parameters())
        values: list[Tensor] = list(source.parameters())
        torch._foreach_lerp_(averages, values, 1 - keep)
        for average, value in zip(self.module.buffers(), source.buffers(), strict=True):
            average.copy_(value)
