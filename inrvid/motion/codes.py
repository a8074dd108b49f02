"""Motions made of codes: what `conv1d` and `attention` share.

Codes u_0, u_1, … lie δ frames apart. Code i sees the noises i … i + reach − 1 and no others, so that the two codes
around a time t need a window of reach + 1 noises: any frame is evaluated without the frames before it, at a cost that
does not depend on t.

In training mode times are short: codes are computed in the model's precision, and nothing waits for the device. In
evaluation mode they are computed in float64, as they set the speed of waves (an error of 1e-7 in it is one of 0.04
radians 10⁶ frames later), and once for all frames that share them.
"""

from __future__ import annotations

from typing import ClassVar, Literal

import torch
from pydantic import Field, model_validator
from torch import Tensor, nn
from typing_extensions import Self

from ..config import Count, PartConfig, Positive
from ..coords.acyclic import AcyclicEncoding, CodePair
from ..layers.precision import in_float64
from ..random import Draws
from .base import Motion, MotionHead, Span
from .noise import ExplicitNoise, NoiseSequence, SeededNoise


class CodeNetwork(nn.Module):
    """Noises (the label behind each) `[N, n, z_dim + label_dim]` → codes `[N, n − reach + 1, code_dim]`.

    Constructed as `Class(config, z_dim=…, label_dim=…)`.
    """

    reach: int
    """Number of noises that one code sees."""


class CodesMotion(Motion[NoiseSequence | Tensor, CodePair]):
    """Trunk: noise sequence → `CodePair` at times t. Its heads are acyclic positional encodings."""

    class Config(PartConfig):
        """Motions made of codes u at equal distances in time, with an acyclic positional encoding between them."""

        distance: Positive = Field(16.0, description="δ: frames between two motion codes")
        code_dim: Count = Field(512, description="width of a code u")
        min_period: Positive | None = Field(None, description="shortest period, frames; default: δ")
        max_period: Positive = Field(1024.0, description="longest period, frames")
        spacing: Literal["log", "linear"] = Field("log", description="of the periods: log (release) or linear (paper)")

        @model_validator(mode="after")
        def _periods_are_ordered(self) -> Self:
            shortest = self.min_period or self.distance
            if shortest > self.max_period:
                raise ValueError(f"max_period {self.max_period:g} is shorter than the shortest period, {shortest:g}")
            return self

    config: Config
    network_class: ClassVar[type[CodeNetwork]]

    def __init__(self, config: Config, *, z_dim: int, label_dim: int, clip_length: int):
        super().__init__(config, z_dim=z_dim, label_dim=label_dim, clip_length=clip_length)
        self.network = self.network_class(config, z_dim=z_dim, label_dim=label_dim)

    @property
    def span(self) -> Span:
        return Span(0.0, self.config.distance, self.network.reach)

    def sample_noise(self, draws: Draws) -> NoiseSequence:
        return SeededNoise.of_keys(draws.keys, draws.purpose, self.z_dim)

    def head(self, width: int, w_dim: int) -> MotionHead[CodePair]:
        return AcyclicHead(self.config, width)

    def forward(self, noise: NoiseSequence | Tensor, label: Tensor, t: Tensor) -> CodePair:
        noise = ExplicitNoise(noise) if isinstance(noise, Tensor) else noise
        distance = self.config.distance
        left = (t.double() / distance).floor()
        if self.training:
            pairs = self.network(self._window(noise, label, left.long()))  # [B·T, 2, code_dim]
            pairs = pairs.unflatten(0, t.shape)
        else:
            # Finding out which frames share codes waits for the device.
            needed, place = left.long().unique(return_inverse=True)
            windows = self._window(noise, label, needed.expand(t.shape[0], -1))
            pairs = in_float64(self.network, windows.double()).unflatten(0, (t.shape[0], -1))
            pairs = pairs.gather(1, place[:, :, None, None].expand(-1, -1, *pairs.shape[2:]))
        return CodePair(t.double(), left * distance, distance, pairs[:, :, 0], pairs[:, :, 1])

    def _window(self, noise: NoiseSequence, label: Tensor, left: Tensor) -> Tensor:
        """The noises of the codes left and left + 1 (int64 `[B, n]`), `[B·n, reach + 1, z_dim + label_dim]`."""
        window = left[..., None] + torch.arange(self.network.reach + 1, device=left.device)
        values = noise.at(window)
        labels = label[:, None, None].expand(-1, *values.shape[1:3], -1)
        return torch.cat([values, labels.to(values.dtype)], dim=-1).flatten(0, 1)


class AcyclicHead(MotionHead[CodePair]):
    def __init__(self, config: CodesMotion.Config, width: int):
        super().__init__()
        self.width = width
        self.encoding = AcyclicEncoding(
            config.code_dim,
            width,
            min_period=config.min_period or config.distance,
            max_period=config.max_period,
            spacing=config.spacing,
        )

    def forward(self, state: CodePair, w: Tensor) -> Tensor:
        if self.training:
            return self.encoding(state)
        return in_float64(self.encoding, state).to(w.dtype)
