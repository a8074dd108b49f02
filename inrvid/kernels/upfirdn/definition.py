"""Resampling in plain PyTorch, with zeros written between the samples."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from ..bias_act import definition as epilogue
from ..rows import as_rows, like


def upfirdn(x: Tensor, taps: list[float], up: int, down: int, padding: list[int], gain: float) -> Tensor:
    n, c, h, w = x.shape
    zeros = x.new_zeros(n, c, h, up, w, up)
    zeros[:, :, :, 0, :, 0] = x
    x = F.pad(zeros.view(n, c, h * up, w * up), [*padding, *padding])
    axis = torch.stack([x.new_full((), tap) for tap in taps])  # where x is: a graph takes nothing from the host
    kernel = (torch.outer(axis, axis) * gain).expand(c, 1, -1, -1)
    return F.conv2d(x, kernel, stride=down, groups=c).contiguous(memory_format=torch.channels_last)


def upfirdn_bias_act(
    x: Tensor,
    bias: Tensor,
    scale: Tensor | None,
    taps: list[float],
    padding: list[int],
    filter_gain: float,
    slope: float,
    gain: float,
    bound: float,
) -> Tensor:
    filtered = upfirdn(x, taps, 1, 1, padding, filter_gain)
    return like(epilogue.bias_act(as_rows(filtered), bias, scale, slope, gain, bound), filtered)
