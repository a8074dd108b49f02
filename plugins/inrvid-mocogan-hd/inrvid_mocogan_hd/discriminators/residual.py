"""The residual discriminator of BigGAN (ICLR 2019), without attention and classes, and with a projection of features
for a contrastive loss (MoCoGAN-HD, ICLR 2021, §3.3)."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from .spectral import SpectralConv2d, SpectralLinear

WIDTHS = {
    32: (4, 4, 4, 4),
    64: (1, 2, 4, 8, 16),
    128: (1, 2, 4, 8, 16, 16),
    256: (1, 2, 4, 8, 8, 16, 16),
}
"""Side → channels of the blocks, as multiples of the narrowest."""
HALVING = {32: 2, 64: 4, 128: 5, 256: 6}
"""Side → how many blocks, from the first on, halve it."""


class ResidualNet(nn.Module):
    """Pictures `[N, 3, side, side]` → logits `[N]` and projections `[N, projection]`."""

    def __init__(self, side: int, *, channels: int, projection: int):
        super().__init__()
        widths = [3, *(channels * factor for factor in WIDTHS[side])]
        self.blocks = nn.ModuleList(
            Block(widths[i], widths[i + 1], first=i == 0, halving=i < HALVING[side]) for i in range(len(widths) - 1)
        )
        self.features = SpectralLinear(widths[-1], projection)
        self.logit = SpectralLinear(projection, 1)
        self.project = nn.Sequential(
            SpectralLinear(projection, projection), nn.ReLU(), SpectralLinear(projection, projection)
        )

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        for block in self.blocks:
            x = block(x)
        q = self.features(x.relu().sum(dim=(2, 3))).relu()
        return self.logit(q)[:, 0], self.project(q)


class Block(nn.Module):
    """Two 3×3 convolutions beside a shortcut; half the size with `halving`."""

    def __init__(self, in_channels: int, channels: int, *, first: bool, halving: bool):
        super().__init__()
        self.first, self.halving = first, halving
        self.conv1 = SpectralConv2d(in_channels, channels, 3)
        self.conv2 = SpectralConv2d(channels, channels, 3)
        self.skip = SpectralConv2d(in_channels, channels, 1) if halving or in_channels != channels else None

    def forward(self, x: Tensor) -> Tensor:
        h = self._pooled(self.conv2(self.conv1(x if self.first else x.relu()).relu()))
        if self.skip is None:
            return h + self._pooled(x)
        # A 1×1 convolution and a mean commute; the first block's has few channels to begin with.
        return h + (self.skip(self._pooled(x)) if self.first else self._pooled(self.skip(x)))

    def _pooled(self, x: Tensor) -> Tensor:
        return F.avg_pool2d(x, 2) if self.halving else x
