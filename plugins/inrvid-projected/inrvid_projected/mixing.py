"""Random fixed mixing of feature maps (Projected GAN, NeurIPS 2021, §3.2), so that no head can look only at what
is easy: over channels, and over scales from the coarsest down."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class RandomMixing(nn.Module):
    """Maps of n scales, finest first, each half as large as the one before → as many mixed maps, twice as large.

    Scale i: mixed 1×1 to `lateral[i]` channels; added to the mixed map of the coarser scale; upsampled to
    twice the side, bilinearly; mixed 1×1 to `out[i]` channels (before the upsampling, with which it commutes: on fewer
    points).

    Args:
        widths: channels of the maps.
        lateral, out: channels; `lateral[i]` is `out[i + 1]`.
        seed: seed of the weights N(0, 1/fan-in), which keep the size of features; buffers, saved with the model.
    """

    def __init__(self, widths: Sequence[int], lateral: Sequence[int], out: Sequence[int], seed: int):
        super().__init__()
        numbers = torch.Generator().manual_seed(seed)
        self.scales = len(widths)
        for i, (a, b, c) in enumerate(zip(widths, lateral, out, strict=True)):
            self.register_buffer(f"channels_{i}", _weight(a, b, numbers))
            self.register_buffer(f"scales_{i}", _weight(b, c, numbers))

    def forward(self, maps: Sequence[Tensor]) -> list[Tensor]:
        found: list[Tensor] = []
        for i in reversed(range(self.scales)):
            x = F.conv2d(maps[i], self.get_buffer(f"channels_{i}"))
            x = x + found[-1] if found else x
            x = F.conv2d(x, self.get_buffer(f"scales_{i}"))
            found.append(F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False))
        return found[::-1]


def _weight(in_channels: int, out_channels: int, numbers: torch.Generator) -> Tensor:
    weight = torch.randn(out_channels, in_channels, 1, 1, generator=numbers, device="cpu")
    return weight / math.sqrt(in_channels)
