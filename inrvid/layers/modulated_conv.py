"""Convolutions modulated by a style (StyleGAN2, CVPR 2020, §2.2), with the modulation computed once a video."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .activation import GAIN, lrelu_
from .half import CLAMP, enter
from .linear import EqLinear
from .lowpass import LowPass


class ModulatedConv2d(nn.Module):
    """Frames' features `[N·T, in, H, W]` of N videos → `[N·T, out, H, W]`, or twice the size with `up`.

    With W the weight and s = affine(w) the style, W'_oi = s_i·W_oi, demodulated by d_o = 1/‖W'_o‖. In evaluation
    mode φ keeps d·W·s, so that a frame costs a plain convolution. In training mode, with many videos of few frames,
    φ keeps the vectors s and d, and they scale the features before and after a convolution that all videos share.
    Both give the same frames; interpolating φ between videos is meant for the weights: evaluation mode.

    Args:
        up: transposed convolution with stride 2, then the low-pass.
        demodulate: without it the style is divided by √(in·size²) (ToRGB).
        activate: leaky ReLU (0.2, √2) behind the bias.
        gain: factor of the result.
        half: made for half precision: weights and styles are scaled to a maximum of 1 before a demodulated
            convolution (which undoes it), and the result is clamped to ±256·gain (StyleGAN2-ADA, appendix).
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        size: int,
        w_dim: int,
        *,
        up: bool = False,
        demodulate: bool = True,
        activate: bool = True,
        gain: float = 1.0,
        half: bool = False,
    ):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(out_channels, in_channels, size, size))
        self.bias = nn.Parameter(torch.zeros(out_channels))
        self.affine = EqLinear(w_dim, in_channels, bias_init=1)
        self.lowpass = LowPass(padding=1, gain=4) if up else None
        self.demodulate, self.activate = demodulate, activate
        self.gain = gain * (GAIN if activate else 1.0)  # leaky ReLU is homogeneous: applied to weight and bias
        self.bounded, self.clamp = half, CLAMP * gain if half else None

    def modulated(self, w: Tensor) -> dict[str, Tensor]:
        """w `[N, w_dim]` → this layer's part of φ."""
        style = self.affine(w)
        weight = self._weight
        if self.demodulate:
            style = style / style.abs().amax(dim=1, keepdim=True) if self.bounded else style
            energy = weight.square().sum(dim=(2, 3))  # [out, in]
            scale = (style.square() @ energy.mT + 1e-8).rsqrt() * self.gain
        else:
            style = style / math.sqrt(self.weight[0].numel())
            scale = style.new_full((len(style), len(self.weight)), self.gain)
        if self.training:
            return {"style": style, "scale": scale}
        return {"weight": weight * style[:, None, :, None, None] * scale[:, :, None, None, None]}

    def forward(self, x: Tensor, phi: Mapping[str, Tensor]) -> Tensor:
        if "weight" in phi:
            videos = zip(x.chunk(len(phi["weight"])), enter(phi["weight"], x.dtype), strict=True)
            x = torch.cat([self._convolve(frames, weight) for frames, weight in videos])
        else:
            frames = len(x) // len(phi["style"])
            style, scale = (
                enter(phi[key], x.dtype).repeat_interleave(frames, dim=0)[:, :, None, None]
                for key in ("style", "scale")
            )
            x = self._convolve(x * style, enter(self._weight, x.dtype)) * scale
        x = x + enter(self.bias * self.gain, x.dtype)[:, None, None]
        x = lrelu_(x) if self.activate else x
        return x if self.clamp is None else x.clamp(-self.clamp, self.clamp)

    @property
    def _weight(self) -> Tensor:
        """The stored weight; for half precision with a maximum of 1/√fan-in, which demodulation undoes."""
        if not (self.bounded and self.demodulate):
            return self.weight
        return self.weight / (self.weight.abs().amax(dim=(1, 2, 3), keepdim=True) * self.weight[0].numel() ** 0.5)

    def _convolve(self, x: Tensor, weight: Tensor) -> Tensor:
        if self.lowpass is None:
            return F.conv2d(x, weight, padding=weight.shape[2] // 2)
        return self.lowpass(F.conv_transpose2d(x, weight.transpose(0, 1), stride=2))
