"""Convolutions modulated by a style (StyleGAN2, CVPR 2020, §2.2)."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from ..kernels.bias_act import NO_BOUND, convolve_bias_act
from ..kernels.modulate import modulate
from ..kernels.recording import is_recording
from ..kernels.strided import grow
from ..kernels.upfirdn import upfirdn_bias_act
from .activation import GAIN
from .half import CLAMP, enter
from .linear import StyleAffine


class ModulatedConv2d(nn.Module):
    """Frames' features `[B·T, in, H, W]` of B videos → `[B·T, out, H, W]`, or twice the size with `up`; leaky ReLU.

    With W the weight and s = affine(w) the style, W'_oi = s_i·W_oi, demodulated by d_o = 1/‖W'_o‖. φ keeps the
    vectors s and d. In evaluation they are applied to the weight: one plain convolution per video. In training, with
    many videos of few frames, they are applied to the features before and after a convolution that all videos share,
    but on a CPU to the weight, where a video has enough pixels for this to be cheaper.

    Args:
        up: transposed convolution with stride 2, then the low-pass.
        gain: factor of the result.
        half: made for float16: before a demodulated convolution (which undoes it), styles are scaled to a maximum
            of 1 and each output channel's weights to one of 1/√fan-in, and the result is clamped to ±256·gain
            (StyleGAN2-ADA, appendix).
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        size: int,
        w_dim: int,
        *,
        up: bool = False,
        gain: float = 1.0,
        half: bool = False,
    ):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(out_channels, in_channels, size, size))
        self.bias = nn.Parameter(torch.zeros(out_channels))
        self.affine = StyleAffine(w_dim, in_channels, bias_init=1)
        self.up, self.clamps = up, half
        self.gain = gain * GAIN  # leaky ReLU is homogeneous: applied to weight and bias
        self.bound = CLAMP * gain if half else NO_BOUND

    def modulated(self, w: Tensor) -> dict[str, Tensor]:
        """w `[B, w_dim]` → this layer's part of φ: `style` `[B, in]` and `scale` `[B, out]`."""
        style = self.affine(w)
        style = style / style.abs().amax(dim=1, keepdim=True) if self.clamps else style
        energy = self._weight.square().sum(dim=(2, 3))  # [out, in]
        return {"style": style, "scale": (style.square() @ energy.mT + 1e-8).rsqrt() * self.gain}

    def folded(self, phi: Mapping[str, Tensor], dtype: torch.dtype) -> dict[str, Tensor]:
        """φ with modulated weights `[B, out, in, k, k]` in place of the vectors, for use in several calls.

        The weights have the precision that the layer runs in, and the memory layout that its convolution reads.
        """
        if "weight" in phi:
            return dict(phi)
        coefficients = phi["scale"][:, :, None] * phi["style"][:, None]
        weight = self._weight.transpose(0, 1) if self.up else self._weight  # as the convolution takes it
        weight = weight.contiguous(memory_format=torch.channels_last)
        weight = weight.transpose(0, 1) if self.up else weight
        return {"weight": enter(weight * coefficients[..., None, None], dtype)}

    def forward(self, x: Tensor, phi: Mapping[str, Tensor]) -> Tensor:
        bias = enter(self.bias * self.gain, x.dtype)
        if "weight" not in phi and self._scales_weight(x, phi["style"].shape[0]):
            phi = self.folded(phi, x.dtype)
        if "weight" in phi:
            videos = zip(x.chunk(len(phi["weight"])), phi["weight"], strict=True)
            parts = [self._convolve(frames, own, bias, None) for frames, own in videos]
            return parts[0] if len(parts) == 1 else torch.cat(parts)
        styled = modulate(x, enter(phi["style"], x.dtype))
        return self._convolve(styled, enter(self._weight, x.dtype), bias, enter(phi["scale"], x.dtype))

    @property
    def _weight(self) -> Tensor:
        """The stored weight; for half precision, scaled to a maximum of 1/√fan-in, which demodulation undoes."""
        if not self.clamps:
            return self.weight
        return self.weight / (self.weight.abs().amax(dim=(1, 2, 3), keepdim=True) * self.weight[0].numel() ** 0.5)

    def _scales_weight(self, x: Tensor, videos: int) -> bool:
        if not self.training:
            # For any batch alike: in half precision, the other way rounds differently.
            return not is_recording()  # one convolution per video would fix the number of videos
        if x.device.type != "cpu":
            return False  # one convolution for all videos: devices other than the CPU would wait for each
        features = x.shape[0] // max(videos, 1) * sum(self.weight.shape[:2]) * x[0, 0].numel()
        return self.weight.numel() <= features

    def _convolve(self, x: Tensor, weight: Tensor, bias: Tensor, scale: Tensor | None) -> Tensor:
        """The convolution and what follows it."""
        if self.up:
            x = grow(x, weight.transpose(0, 1))
            return upfirdn_bias_act(x, bias, scale, padding=(1, 1), filter_gain=4, bound=self.bound)
        return convolve_bias_act(x, weight, bias, scale, padding=weight.shape[2] // 2, bound=self.bound)
