"""The binomial low-pass [1, 3, 3, 1] ⊗ [1, 3, 3, 1] of the StyleGAN family."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def binomial_kernel(gain: float = 1.0) -> Tensor:
    """`[1, 1, 4, 4]`, sum `gain`."""
    taps = torch.tensor([1.0, 3.0, 3.0, 1.0])
    return torch.outer(taps, taps)[None, None] * (gain / 64)


class LowPass(nn.Module):
    """Filter `[N, C, H, W]` with zero padding; every `stride`-th sample of the result is computed.

    One depthwise convolution: on channels-last tensors no copy is made of the input.
    """

    kernel: Tensor

    def __init__(self, *, padding: int, stride: int = 1, gain: float = 1.0):
        super().__init__()
        self.register_buffer("kernel", binomial_kernel(gain), persistent=False)
        self.padding, self.stride = padding, stride

    def forward(self, x: Tensor) -> Tensor:
        channels = x.shape[1]
        kernel = self.kernel.to(x.dtype).expand(channels, 1, 4, 4)
        return F.conv2d(x, kernel, padding=self.padding, stride=self.stride, groups=channels)


class Upsample(nn.Module):
    """`[N, C, H, W]` → `[N, C, 2H, 2W]`: zeros between samples, then the low-pass with gain 4."""

    kernel: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("kernel", binomial_kernel(gain=4), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        channels = x.shape[1]
        kernel = self.kernel.to(x.dtype).expand(channels, 1, 4, 4)
        return F.conv_transpose2d(x, kernel, stride=2, padding=1, groups=channels)
