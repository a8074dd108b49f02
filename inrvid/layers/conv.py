"""Convolutions with equalised learning rate."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..kernels.bias_act import NO_BOUND, convolve_bias_act
from ..kernels.upfirdn import upfirdn
from .activation import GAIN
from .half import CLAMP, enter


class EqConv2d(nn.Module):
    """`[N, in, H, W]` → `[N, out, H, W]`, or half the size with `down=True` (low-pass, then stride 2).

    The weight is stored as N(0, 1) and used times 1/√(in·k²).

    Args:
        activate: leaky ReLU (slope 0.2, gain √2).
        gain: factor of the result.
        half: made for float16: the result is clamped to ±256·gain.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        size: int,
        *,
        bias: bool = True,
        down: bool = False,
        activate: bool = False,
        gain: float = 1.0,
        half: bool = False,
    ):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(out_channels, in_channels, size, size))
        self.bias = nn.Parameter(torch.zeros(out_channels)) if bias else None
        # A 1×1 convolution commutes with dropping samples: it runs on those that remain.
        self.filter = (1 + size // 2, 2 if size == 1 else 1) if down else None  # (padding, stride) of the low-pass
        self.stride = 2 if down and size > 1 else 1
        self.padding = 0 if down else size // 2
        self.weight_gain = 1 / math.sqrt(in_channels * size**2)
        self.activate, self.gain = activate, gain
        self.bound = CLAMP * gain if half else NO_BOUND

    def forward(self, x: Tensor) -> Tensor:
        if self.filter is not None:
            padding, stride = self.filter
            x = upfirdn(x, down=stride, padding=(padding, padding))
        # Leaky ReLU is homogeneous: all gains are applied to the weights, once, not to every pixel.
        gain = self.gain * (GAIN if self.activate else 1)
        bias = None if self.bias is None else self.bias * gain
        weight = enter(self.weight * (self.weight_gain * gain), x.dtype)
        bias = None if bias is None else enter(bias, x.dtype)
        if self.activate:
            return convolve_bias_act(x, weight, bias, stride=self.stride, padding=self.padding, bound=self.bound)
        x = F.conv2d(x, weight, bias, stride=self.stride, padding=self.padding)
        return x if self.bound == NO_BOUND else x.clamp(-self.bound, self.bound)
