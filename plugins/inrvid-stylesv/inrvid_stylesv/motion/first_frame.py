"""Motion that leaves the first frame as it is (StyleInV, ICCV 2023): a given frame can be animated in many ways.

Anchor 0, in the place of noise 0, is a learned constant, and the convolutions are causal: code i sees the anchors up to
its own, i − reach + 1 … i, and zeros before the first. Code 0 is therefore the same for all videos (of a class), and
the acyclic encoding, which is A·u_0 at t = 0, gives the same v(0) whatever the noise. Before frame 0 a video stands
still.
"""

from __future__ import annotations

import math
from typing import ClassVar

import torch
from torch import Tensor, nn

from inrvid.plugins import Codes, Conv1dMotion, NoiseSequence, Span


class FirstFrameMotion(Conv1dMotion):
    """Motion codes by causal convolutions from a learned first anchor: frame 0 has no noise in it."""

    source = "StyleInV (ICCV 2023)"
    test_settings: ClassVar = {"code_dim": 8, "kernel": 3}

    def __init__(self, config: Conv1dMotion.Config, *, z_dim: int, label_dim: int, clip_length: int):
        super().__init__(config, z_dim=z_dim, label_dim=label_dim, clip_length=clip_length)
        self.first = nn.Parameter(torch.randn(z_dim))

    @property
    def span(self) -> Span:
        """A time lies between two codes; the later one sees the noise of its own number and none after it."""
        return Span(-math.inf, self.config.distance, 1)

    def forward(self, noise: NoiseSequence | Tensor, label: Tensor, t: Tensor) -> Codes:
        return super().forward(noise, label, t.clamp(min=0))

    def window(self, noise: NoiseSequence, left: Tensor) -> Tensor:
        count = self.network.reach + self.around - 1
        anchor = left[..., None] + torch.arange(count, device=left.device) - (self.network.reach - 1)
        values = noise.at(anchor.clamp(min=0))
        values = values * (anchor > 0)[..., None]
        return values + (anchor == 0)[..., None] * self.first.to(values.dtype)
