"""Motions made of codes: what `conv1d`, `attention` and motions of other packages share.

Codes u_0, u_1, … lie δ frames apart. Code i sees the noises i … i + reach − 1 and no others, so that the two codes
around a time t (for more, see `around`) need a window of reach + 1 noises: any frame is evaluated without the frames
before it, at a cost that does not depend on t.

In training mode, times are short: codes are computed in the model's precision, and nothing waits for the device. In
evaluation mode, codes are computed in float64, because they set the speed of the waves (an error of 1e-7 in the speed
is one of 0.04 radians 10⁶ frames later), and only once for all frames that share them.
"""

from __future__ import annotations

from typing import ClassVar, Literal

import torch
from pydantic import Field, model_validator
from torch import Tensor, nn
from typing_extensions import Self

from ..config import Count, PartConfig, Positive
from ..coords.acyclic import AcyclicEncoding, Codes
from ..errors import InrvidError
from ..kernels.recording import is_recording
from ..layers.precision import in_float64
from ..random import Draws
from .base import Motion, MotionHead, Span
from .noise import ExplicitNoise, NoiseSequence, SeededNoise


class CodeNetwork(nn.Module):
    """Noises, each followed by the label, `[N, n, z_dim + label_dim]` → codes `[N, n − reach + 1, code_dim]`.

    Constructed as `Class(config, z_dim=…, label_dim=…)`.
    """

    reach: int
    """Number of noises that one code sees."""


class CodesMotion(Motion[NoiseSequence | Tensor, Codes]):
    """Trunk: noise sequence → the `Codes` around times t. Its heads are encodings of these codes.

    A subclass may change the network that makes the codes (`network_class`), how many of them lie around a time
    (`around`), which noises they see (`window`), and the encoding between them (`encoding`).
    """

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
    around: ClassVar[int] = 2
    """Number of codes around a time t; the first is code ⌊t/δ⌋."""

    def __init__(self, config: Config, *, z_dim: int, label_dim: int, clip_length: int):
        super().__init__(config, z_dim=z_dim, label_dim=label_dim, clip_length=clip_length)
        self.network = self.network_class(config, z_dim=z_dim, label_dim=label_dim)

    @property
    def span(self) -> Span:
        return Span(0.0, self.config.distance, self.network.reach + self.around - 2)

    def sample_noise(self, draws: Draws) -> NoiseSequence:
        return SeededNoise.of_keys(draws.keys, draws.purpose, self.z_dim)

    def head(self, width: int, w_dim: int) -> MotionHead[Codes]:
        return CodesHead(self.encoding(width), width)

    def encoding(self, width: int) -> nn.Module:
        """A new module `Codes` → v `[B, T, width]` that computes in the codes' precision."""
        config = self.config
        shortest = config.min_period or config.distance
        return AcyclicEncoding(
            config.code_dim, width, min_period=shortest, max_period=config.max_period, spacing=config.spacing
        )

    def forward(self, noise: NoiseSequence | Tensor, label: Tensor, t: Tensor) -> Codes:
        """Raises InrvidError: noise of a motion of another kind."""
        if isinstance(noise, Tensor):
            if noise.ndim != 3:
                raise InrvidError(f"motion noise {[*noise.shape]} is no sequence: latents of another model?")
            noise = ExplicitNoise(noise)
        distance = self.config.distance
        left = (t.double() / distance).floor()
        if self.training:
            windows = self.window(noise, left.long()).to(label.dtype)  # given noises may be in float64
            codes = self.network(self._labelled(windows, label))  # [B·T, around, code_dim]
            codes = codes.unflatten(0, t.shape)
        else:
            codes = self._evaluated(noise, label, left.long())
        return Codes(t.double(), left * distance, distance, codes)

    def _evaluated(self, noise: NoiseSequence, label: Tensor, left: Tensor) -> Tensor:
        """Codes from number `left` (int64 `[B, T]`) on, in float64; those that frames share are computed only once."""
        # Finding the shared ones waits for the device.
        needed, place = left.unique(return_inverse=True)
        shared = is_recording() or len(needed) <= left.shape[1]  # else each video has its own times
        which = needed.expand(left.shape[0], -1) if shared else left
        windows = self._labelled(self.window(noise, which), label)
        codes = in_float64(self.network, windows.double()).unflatten(0, which.shape)
        return codes.gather(1, place[:, :, None, None].expand(-1, -1, *codes.shape[2:])) if shared else codes

    def window(self, noise: NoiseSequence, left: Tensor) -> Tensor:
        """The noises seen by the codes from number `left` (int64 `[B, n]`) on: `[B, n, reach + around − 1, z_dim]`."""
        count = self.network.reach + self.around - 1
        return noise.at(left[..., None] + torch.arange(count, device=left.device))

    @staticmethod
    def _labelled(window: Tensor, label: Tensor) -> Tensor:
        """Append the label `[B, label_dim]` to noises: `[B, n, count, z_dim]` → `[B·n, count, z_dim + label_dim]`."""
        labels = label[:, None, None].expand(-1, *window.shape[1:3], -1)
        return torch.cat([window, labels.to(window.dtype)], dim=-1).flatten(0, 1)


class CodesHead(MotionHead[Codes]):
    """An encoding of codes, computed in float64 except in training mode."""

    def __init__(self, encoding: nn.Module, width: int):
        super().__init__()
        self.encoding, self.width = encoding, width

    def forward(self, state: Codes, w: Tensor) -> Tensor:
        if self.training:
            return self.encoding(state)
        return in_float64(self.encoding, state).to(w.dtype)
