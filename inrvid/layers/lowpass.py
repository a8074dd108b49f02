"""The binomial low-pass [1, 3, 3, 1] ⊗ [1, 3, 3, 1] of the StyleGAN family."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class LowPass(nn.Module):
    """Filter `[N, C, H, W]` with zero padding; every `stride`-th sample of the result is computed.

    One depthwise convolution: on channels-last tensors no copy is made of the input.
    """

    kernel: Tensor

    def __init__(self, *, padding: int, stride: int = 1, gain: float = 1.0):
        super().__init__()
        taps = torch.tensor([1.0, 3.0, 3.0, 1.0])
        self.register_buffer("kernel", torch.outer(taps, taps)[None, None] * (gain / 64), persistent=False)
        self.padding, self.stride = padding, stride

    def forward(self, x: Tensor) -> Tensor:
        channels = x.shape[1]
        kernel = self.kernel.to(x.dtype).expand(channels, 1, 4, 4)
        return F.conv2d(x, kernel, padding=self.padding, stride=self.stride, groups=channels)
