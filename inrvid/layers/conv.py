"""Convolutions with equalised learning rate."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .activation import GAIN, SLOPE
from .half import CLAMP, enter
from .lowpass import LowPass


class EqConv2d(nn.Module):
    """`[N, in, H, W]` → `[N, out, H, W]`, or half the size with `down=True` (low-pass, then stride 2).

    The weight is stored as N(0, 1) and used times 1/√(in·k²).

    Args:
        activate: leaky ReLU (slope 0.2, gain √2).
        gain: factor of the result.
        half: made for half precision: the result is clamped to ±256·gain.
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
        self.lowpass = LowPass(padding=1 + size // 2, stride=2 if size == 1 else 1) if down else None
        self.stride = 2 if down and size > 1 else 1
        self.padding = 0 if down else size // 2
        self.weight_gain = 1 / math.sqrt(in_channels * size**2)
        self.activate, self.gain = activate, gain
        self.clamp = CLAMP * gain if half else None

    def forward(self, x: Tensor) -> Tensor:
        if self.lowpass is not None:
            x = self.lowpass(x)
        # Leaky ReLU is homogeneous: all gains are applied to the weights, once, not to every pixel.
        gain = self.gain * (GAIN if self.activate else 1)
        bias = None if self.bias is None else self.bias * gain
        weight = enter(self.weight * (self.weight_gain * gain), x.dtype)
        bias = None if bias is None else enter(bias, x.dtype)
        x = F.conv2d(x, weight, bias, stride=self.stride, padding=self.padding)
        x = F.leaky_relu(x, SLOPE) if self.activate else x
        return x if self.clamp is None else x.clamp(-self.clamp, self.clamp)
