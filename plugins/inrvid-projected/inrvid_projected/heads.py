"""The head of one scale: a few spectrally normalised convolutions (Miyato et al., ICLR 2018; Projected GAN §3.1)."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from inrvid.plugins import MinibatchStd

ITERATIONS = 4
SLOPE = 0.2
SMALLEST = 8
"""Largest side of a map that is judged without being halved."""
PATCH = 4


class SpectralConv2d(nn.Module):
    """A convolution whose weight, as a matrix [out, in·k²], is divided by its largest singular value.

    That value is estimated by a few power iterations, always from the same vector: no statistics are kept, so that
    the layer is a function of its weight, however often it is called. The estimate is at most the true value, and some
    percent below it for a random matrix. The weight's own scale cancels, so that, stored as N(0, 1), it learns at an
    equalised rate.
    """

    start: Tensor

    def __init__(self, in_channels: int, out_channels: int, size: int, *, stride: int = 1, padding: int = 0):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(out_channels, in_channels, size, size))
        self.bias = nn.Parameter(torch.zeros(out_channels))
        numbers = torch.Generator().manual_seed(0)
        start = F.normalize(torch.randn(out_channels, generator=numbers, device="cpu"), dim=0)
        self.register_buffer("start", start, persistent=False)
        self.stride, self.padding = stride, padding

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(x, self.weight / self.norm(), self.bias, self.stride, self.padding)

    def norm(self) -> Tensor:
        """uᵀ·W·v of the last u and v, which its gradient treats as constants."""
        matrix = self.weight.flatten(1)
        with torch.no_grad():
            u = self.start
            for _ in range(ITERATIONS):
                v = F.normalize(matrix.mT @ u, dim=0, eps=1e-12)
                u = F.normalize(matrix @ v, dim=0, eps=1e-12)
        return u @ (matrix @ v)


class ScaleHead(nn.Module):
    """Features `[B, width, S, S]`, cmap `[B, cmap_dim]` or None → logits of patches `[B, n]`.

    4×4 convolutions of stride 2 down to 8×8 or less (one of 3×3 if the map is that small already), and one of 4×4
    without padding, which gives (s − 3)² logits for a last map of side s ≥ 4, or one for smaller maps. With `cmap_dim`,
    they are projected onto cmap.

    Args:
        channels: side of a map → its channels.
        mbstd_group: clips whose standard deviation is one more channel before the last convolution; 1: none.
    """

    def __init__(self, width: int, side: int, channels: Callable[[int], int], *, cmap_dim: int, mbstd_group: int):
        super().__init__()
        self.layers = nn.ModuleList()
        if side <= SMALLEST:
            self.layers.append(SpectralConv2d(width, channels(side), 3, padding=1))
            width = channels(side)
        while side > SMALLEST:
            side //= 2
            self.layers.append(SpectralConv2d(width, channels(side), 4, stride=2, padding=1))
            width = channels(side)
        self.deviation = MinibatchStd(mbstd_group) if mbstd_group > 1 else None
        self.out = SpectralConv2d(width + (mbstd_group > 1), cmap_dim or 1, min(PATCH, side))

    def forward(self, x: Tensor, cmap: Tensor | None) -> Tensor:
        for layer in self.layers:
            x = F.leaky_relu(layer(x), SLOPE)
        x = self.out(x if self.deviation is None else self.deviation(x)).flatten(2)
        return x.squeeze(1) if cmap is None else (x * cmap[:, :, None]).sum(dim=1) / cmap.shape[1] ** 0.5
