"""Resampling as convolutions, which take the zeros between samples for granted."""

from __future__ import annotations

import functools

import torch
import torch.nn.functional as F
from torch import Tensor

from ..bias_act import cpu as epilogue
from ..rows import as_rows, like
from . import definition


def upfirdn(x: Tensor, taps: list[float], up: int, down: int, padding: list[int], gain: float) -> Tensor:
    size, c = len(taps), x.shape[1]
    x = _channels_last(x)
    if x.numel() == 0 or (up > 1 and down > 1):
        return definition.upfirdn(x, taps, up, down, padding, gain)
    p0, p1 = padding
    if up == 1:
        if p0 != p1 or p0 < 0:
            x, p0 = _channels_last(F.pad(x, [p0, p1, p0, p1])), 0
        return F.conv2d(x, _kernel(tuple(taps), gain, c, x.dtype), None, down, p0, groups=c)
    kernel = _kernel(tuple(reversed(taps)), gain, c, x.dtype)
    before, after = size - 1 - p0, size - up - p1  # what a transposed convolution writes beyond the result
    crop = max(0, min(before, after))
    y = F.conv_transpose2d(x, kernel, None, up, crop, groups=c)
    if before != crop or after != crop:
        edge = [crop - before, crop - after]
        y = F.pad(y, [*edge, *edge])
    return _channels_last(y)


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
    rest: Tensor | None = bias
    if scale is None and gain == 1 and padding[0] == padding[1] >= 0 and x.numel():
        kernel = _kernel(tuple(taps), filter_gain, len(bias), x.dtype)
        y = F.conv2d(_channels_last(x), kernel, bias, padding=padding[0], groups=len(bias))
        rest = None
    else:
        y = upfirdn(x, taps, 1, 1, padding, filter_gain)
    rows = as_rows(y)
    epilogue.write(rows, rest, scale, slope, gain, bound, rows)
    return like(rows, y)


def _channels_last(x: Tensor) -> Tensor:
    return x.contiguous(memory_format=torch.channels_last)


@functools.lru_cache(maxsize=64)
def _kernel(taps: tuple[float, ...], gain: float, channels: int, dtype: torch.dtype) -> Tensor:
    """`[channels, 1, taps, taps]`, made once: in small networks it took as long as the convolution."""
    with torch.inference_mode(False):  # else a first call in inference mode would spoil it for autograd
        axis = torch.tensor(taps, dtype=torch.float64, device="cpu")
        return (torch.outer(axis, axis) * gain).to(dtype).repeat(channels, 1, 1, 1)
