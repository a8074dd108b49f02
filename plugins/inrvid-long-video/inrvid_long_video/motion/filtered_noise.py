"""Motion of low-passed noise (LongVideoGAN, NeurIPS 2022): content that keeps changing, over seconds and minutes alike.

One N(0, 1) vector per frame, a few numbers wide, is filtered by a bank of low-passes whose periods go from seconds to
minutes (`low_pass`); in each head, two layers map all the filtered numbers to the motion code. A frame needs only the
noises within the longest filter's reach, at whatever time: its cost does not depend on t.

All filters share the noises of a window. In evaluation mode those that several times share are drawn once. In training
mode each time draws its own, as finding out which are shared would wait for the device.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, NamedTuple

import torch
from pydantic import Field, model_validator
from torch import Tensor
from typing_extensions import Self

from inrvid.plugins import (
    Count,
    Draws,
    ExplicitNoise,
    MappingNetwork,
    Motion,
    MotionHead,
    NoiseSequence,
    PartConfig,
    SeededNoise,
    Span,
)

from .low_pass import SHORTEST, LowPassBank

LAYERS = 2
LONGEST = 1_000_000

Period = Annotated[float, Field(ge=SHORTEST, le=LONGEST)]


class Filtered(NamedTuple):
    values: Tensor
    """Filtered noise `[B, T, filters·noises]`, N(0, 1)."""
    label: Tensor
    """`[B, classes]`."""


class FilteredNoiseMotion(Motion[NoiseSequence | Tensor, Filtered]):
    """Noise filtered by a bank of low-passes with periods from seconds to minutes, mapped by two layers.

    Explicit noise is `[B, L, noises]`, one vector a frame; noise i is that of frame i − reach + 1, where reach is a
    quarter of the longest period, so that L noises serve 0 ≤ t < L − 2·reach + 1."""

    source = "LongVideoGAN (NeurIPS 2022)"
    test_settings: ClassVar[dict[str, float]] = {
        "noises": 3,
        "filters": 5,
        "shortest_period": 20.0,
        "longest_period": 80.0,
    }

    class Config(PartConfig):
        noises: Count = Field(8, description="independent noises, numbers per frame")
        filters: Count = Field(128, description="low-passes, each applied to all noises")
        shortest_period: Period = Field(250.0, description="shortest period of a filter, frames")
        longest_period: Period = Field(10_000.0, description="longest period; half as many noises are drawn per frame")

        @model_validator(mode="after")
        def _periods_are_ordered(self) -> Self:
            if self.shortest_period > self.longest_period:
                raise ValueError(
                    f"longest_period {self.longest_period:g} is shorter than shortest_period, {self.shortest_period:g}"
                )
            return self

    config: Config

    def __init__(self, config: Config, *, z_dim: int, label_dim: int, clip_length: int):
        super().__init__(config, z_dim=z_dim, label_dim=label_dim, clip_length=clip_length)
        self.bank = LowPassBank(config.filters, config.shortest_period, config.longest_period)

    @property
    def span(self) -> Span:
        return Span(0.0, 1.0, self.bank.length - 1)

    def sample_noise(self, draws: Draws) -> NoiseSequence:
        return SeededNoise.of_keys(draws.keys, draws.purpose, self.config.noises)

    def head(self, width: int, w_dim: int) -> MotionHead[Filtered]:
        return FilteredHead(self.config.filters * self.config.noises, self.label_dim, width)

    def forward(self, noise: NoiseSequence | Tensor, label: Tensor, t: Tensor) -> Filtered:
        noise = ExplicitNoise(noise) if isinstance(noise, Tensor) else noise
        frame = t.double().floor()
        windows = self._windows(noise, frame.long())
        return Filtered(self.bank(windows, t.double() - frame).flatten(2), label)

    def _windows(self, noise: NoiseSequence, frame: Tensor) -> Tensor:
        """The noises that frames (int64 `[B, T]`) are made of, `[B, T, length, noises]`."""
        index = frame[..., None] + torch.arange(self.bank.length, device=frame.device)
        if self.training:
            return noise.at(index)
        needed, place = index.unique(return_inverse=True)
        values = noise.at(needed.expand(frame.shape[0], -1))
        videos = torch.arange(frame.shape[0], device=frame.device)[:, None, None]
        return values[videos, place]


class FilteredHead(MotionHead[Filtered]):
    def __init__(self, channels: int, label_dim: int, width: int):
        super().__init__()
        self.width = width
        self.mapping = MappingNetwork(channels, label_dim, width, layers=LAYERS, average=False)

    def forward(self, state: Filtered, w: Tensor) -> Tensor:
        times = state.values.shape[1]
        label = state.label.repeat_interleave(times, dim=0)
        return self.mapping(state.values.flatten(0, 1), label).unflatten(0, (-1, times))
