"""A geometric warp that is low-passed on both sides (StyleGAN2-ADA, NeurIPS 2020, appendix B)."""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from ..kernels.fir import fir
from ..transfer import to_device
from .transforms import scaling, translation

# The decomposition low-pass of the wavelets sym6 and sym2 (Daubechies, "Ten Lectures on Wavelets", §8.1).
SYM6 = (
    0.015404109327027373, 0.0034907120842174702, -0.11799011114819057, -0.048311742585633, 0.4910559419267466,
    0.787641141030194, 0.3379294217276218, -0.07263752278646252, -0.021060292512300564, 0.04472490177066578,
    0.0017677118642428036, -0.007800708325034148,
)  # fmt: skip
SYM2 = (-0.12940952255092145, 0.22414386804185735, 0.836516303737469, 0.48296291314469025)

LOWPASS = tuple(tap / sum(SYM6) for tap in SYM6)
PAD = len(SYM6) // 2

STEPS = 8
"""On a GPU, margins are multiples of 1/STEPS of a side: memory is reused if it comes in few sizes, not in any size."""


def warp(x: Tensor, inverse: Tensor) -> Tensor:
    """x `[B, C, H, W]` moved by matrices that map output to input pixels, `[B, 3, 3]` **on the CPU**.

    Pixels are counted from the centre, x right, y down. How far to reflect at the borders is read from the
    matrices: if they were on the device, this would have to wait for it.
    """
    height, width = x.shape[2:]
    left, top, right, bottom = margins(inverse, height, width, coarse=x.device.type != "cpu")
    x = F.pad(x, (left, right, top, bottom), mode="reflect")
    inverse = _shift((left - right) / 2, (top - bottom) / 2, inverse) @ inverse

    x = upsample(x)
    inverse = _scale(2, 2, inverse) @ inverse @ _scale(0.5, 0.5, inverse)
    inverse = _shift(-0.5, -0.5, inverse) @ inverse @ _shift(0.5, 0.5, inverse)

    out_height, out_width = (height + PAD) * 2, (width + PAD) * 2
    inverse = _scale(2 / x.shape[3], 2 / x.shape[2], inverse) @ inverse @ _scale(out_width / 2, out_height / 2, inverse)
    theta = to_device(inverse[:, :2], x.device, x.dtype)
    grid = F.affine_grid(theta, [len(x), x.shape[1], out_height, out_width], align_corners=False)
    x = _Sampled.apply(x, grid)
    return downsample(x, crop=1)


class _Sampled(torch.autograd.Function):
    """Bilinear samples of x `[B, C, H, W]` at grid `[B, h, w, 2]`, zeros outside; differentiable in x as often as
    wanted.

    It is linear in x: its gradient is the adjoint map, whose gradient is this map again. Older versions of PyTorch
    have no second derivative of `grid_sample`, and R1 through an augmentation needs one.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, grid: Tensor) -> Tensor:
        ctx.save_for_backward(grid)
        ctx.size = x.shape[2:]
        return F.grid_sample(x, grid, mode="bilinear", padding_mode="zeros", align_corners=False)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return _Spread.apply(gradients[0], ctx.saved_tensors[0], ctx.size), None


class _Spread(torch.autograd.Function):
    """The adjoint of `_Sampled`: values `[B, C, h, w]` at the grid's points → pixels `[B, C, *size]`."""

    @staticmethod
    def forward(ctx: Any, values: Tensor, grid: Tensor, size: torch.Size) -> Tensor:
        ctx.save_for_backward(grid)
        pixels = values.new_empty(*values.shape[:2], *size)  # only its size is looked at
        bilinear, zeros = 0, 0
        wanted = [True, False]  # the gradient of the pixels, not of the grid
        adjoint = torch.ops.aten.grid_sampler_2d_backward(values, pixels, grid, bilinear, zeros, False, wanted)
        return adjoint[0]

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        return _Sampled.apply(gradients[0], ctx.saved_tensors[0]), None, None


def margins(inverse: Tensor, height: int, width: int, *, coarse: bool = False) -> tuple[int, int, int, int]:
    """How far beyond the borders (left, top, right, bottom) the warped frames of a batch reach, at most a side.

    `coarse`: rounded up to multiples of a fraction of the side (`STEPS`).
    """
    cx, cy = (width - 1) / 2, (height - 1) / 2
    corners = torch.tensor([[-cx, -cy, 1], [cx, -cy, 1], [cx, cy, 1], [-cx, cy, 1]], dtype=inverse.dtype)
    x, y = (inverse @ corners.mT)[:, :2].unbind(1)  # [B, 4] each
    reach = torch.stack([-x.min() - cx, -y.min() - cy, x.max() - cx, y.max() - cy]).tolist()
    found = []
    for value, side in zip(reach, [width, height, width, height], strict=True):
        step = max(1, side // STEPS) if coarse else 1
        found.append(min(math.ceil(max(value + PAD, 0.0) / step) * step, side - 1))
    left, top, right, bottom = found
    return left, top, right, bottom


def upsample(x: Tensor) -> Tensor:
    """`[B, C, H, W]` → twice the size: zeros between samples, low-pass."""
    planes = x.flatten(0, 1)
    for axis in (2, 1):
        planes = fir(planes, LOWPASS[::-1], axis, up=2, padding=(PAD, PAD - 1), gain=2)
    return planes.unflatten(0, x.shape[:2])


def downsample(x: Tensor, crop: int = 0) -> Tensor:
    """Low-pass without padding, then every second sample; `crop` samples are left out at each border."""
    planes = x.flatten(0, 1)
    for axis in (2, 1):
        planes = fir(planes, LOWPASS, axis, down=2, padding=(-crop, -crop))
    return planes.unflatten(0, x.shape[:2])


def _scale(x: float, y: float, like: Tensor) -> Tensor:
    return scaling(like.new_full((1,), x), like.new_full((1,), y))


def _shift(x: float, y: float, like: Tensor) -> Tensor:
    return translation(like.new_full((1,), x), like.new_full((1,), y))
