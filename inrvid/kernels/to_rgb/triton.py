"""Three dot products a pixel, bias and the picture so far, with one read of the features; and the way back.

A program takes a tile of pixels × channels and walks along the channels (forward) or down the pixels (backward): three
columns are too few for tensor cores, and the products wait for memory in any case.
"""

import torch
import triton
import triton.language as tl
from torch import Tensor

from ..inr_layer.definition import halved
from ..triton_common import PROGRAMS, launch, power

TILE = 2048
"""Numbers of a tile: 16 a thread, each multiplied thrice."""


def to_rgb(x: Tensor, weight: Tensor, bias: Tensor, base: Tensor | None) -> Tensor:
    """Features `[B, T, H, W, C]`, weight `[B, C, 3]`, bias `[3]`, base of this size or half → `[B, T, H, W, 3]`."""
    n, frames, height, width, channels = x.shape
    rgb = weight.new_empty(n, frames, height, width, 3)
    if rgb.numel() == 0:
        return rgb
    bc = power(channels, 8, 128)
    bm = TILE // bc
    launch(
        _forward, n * frames * triton.cdiv(height * width, bm),
        x.contiguous(), weight.contiguous(), bias.contiguous(), None if base is None else base.contiguous(), rgb,
        frames, height, width, channels, DOUBLE=base is not None and base.shape != rgb.shape, BM=bm, BC=bc,
    )  # fmt: skip
    return rgb


@triton.jit
def _forward(
    x, weight, bias, base, rgb, frames, height, width, channels,
    DOUBLE: tl.constexpr, BM: tl.constexpr, BC: tl.constexpr,
):  # fmt: skip
    tiles = tl.cdiv(height * width, BM)
    frame = (tl.program_id(0) // tiles).to(tl.int64)
    pixel = tl.program_id(0) % tiles * BM + tl.arange(0, BM)
    known = pixel < height * width
    row = frame * height * width + pixel
    of_weight = weight + frame // frames * channels * 3
    red = tl.zeros((BM,), tl.float32)
    green = tl.zeros((BM,), tl.float32)
    blue = tl.zeros((BM,), tl.float32)
    for start in range(0, channels, BC):
        c = start + tl.arange(0, BC)
        inside = known[:, None] & (c < channels)[None, :]
        values = tl.load(x + row[:, None] * channels + c[None, :], mask=inside, other=0.0).to(tl.float32)
        red += tl.sum(values * tl.load(of_weight + c * 3, mask=c < channels, other=0.0)[None, :], axis=1)
        green += tl.sum(values * tl.load(of_weight + c * 3 + 1, mask=c < channels, other=0.0)[None, :], axis=1)
        blue += tl.sum(values * tl.load(of_weight + c * 3 + 2, mask=c < channels, other=0.0)[None, :], axis=1)
    red += tl.load(bias)
    green += tl.load(bias + 1)
    blue += tl.load(bias + 2)
    if base is not None:
        at = row
        if DOUBLE:
            at = (frame * (height // 2) + pixel // width // 2) * (width // 2) + pixel % width // 2
        red += tl.load(base + at * 3, mask=known, other=0.0)
        green += tl.load(base + at * 3 + 1, mask=known, other=0.0)
        blue += tl.load(base + at * 3 + 2, mask=known, other=0.0)
    tl.store(rgb + row * 3, red, mask=known)
    tl.store(rgb + row * 3 + 1, green, mask=known)
    tl.store(rgb + row * 3 + 2, blue, mask=known)


def to_rgb_backward(
    gradient: Tensor, x: Tensor, weight: Tensor, base: Tensor | None
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Gradients of x, weight and bias, and of base (empty without one), from those of the pictures."""
    gradient, x = gradient.contiguous(), x.contiguous()
    of_x, of_weight = _of_product(gradient.flatten(1, 3), x.flatten(1, 3), weight.contiguous())
    of_bias = gradient.sum(dim=(0, 1, 2, 3))
    if base is None:
        return of_x.view(x.shape), of_weight, of_bias, gradient.new_empty(0)
    of_base = gradient.clone() if base.shape == gradient.shape else halved(gradient)
    return of_x.view(x.shape), of_weight, of_bias, of_base


def _of_product(gradient: Tensor, x: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    """Gradients of x `[B, M, C]` and weight `[B, C, 3]`, from `[B, M, 3]`."""
    of_x = torch.empty_like(x)
    n, rows, channels = x.shape
    if x.numel() == 0:
        return of_x, torch.zeros_like(weight)
    bc = power(channels, 8, 128)
    bm = TILE // bc
    across, tiles = triton.cdiv(channels, bc), triton.cdiv(rows, bm)
    steps = max(1, min(tiles, n * across * tiles // PROGRAMS))
    down = triton.cdiv(tiles, steps)
    of_weight = weight.new_empty(n, down, 3, channels)
    programs = n * down * across
    launch(_backward, programs, gradient, x, weight, of_x, of_weight, rows, channels, steps, down, BM=bm, BC=bc)
    return of_x, of_weight.sum(dim=1).mT.contiguous()


@triton.jit
def _backward(
    gradient, x, weight, of_x, of_weight, rows, channels, steps, down, BM: tl.constexpr, BC: tl.constexpr
):  # fmt: skip
    across = tl.cdiv(channels, BC)
    c = tl.program_id(0) % across * BC + tl.arange(0, BC)
    part = tl.program_id(0) // across % down
    n = (tl.program_id(0) // (across * down)).to(tl.int64)
    weight += n * channels * 3 + c * 3
    red = tl.load(weight, mask=c < channels, other=0.0)[None, :]
    green = tl.load(weight + 1, mask=c < channels, other=0.0)[None, :]
    blue = tl.load(weight + 2, mask=c < channels, other=0.0)[None, :]
    for_red = tl.zeros((BM, BC), tl.float32)
    for_green = tl.zeros((BM, BC), tl.float32)
    for_blue = tl.zeros((BM, BC), tl.float32)
    for step in range(0, steps):
        m = (part * steps + step) * BM + tl.arange(0, BM)
        inside = (m < rows)[:, None] & (c < channels)[None, :]
        row = n * rows + m
        of_red = tl.load(gradient + row * 3, mask=m < rows, other=0.0)[:, None]
        of_green = tl.load(gradient + row * 3 + 1, mask=m < rows, other=0.0)[:, None]
        of_blue = tl.load(gradient + row * 3 + 2, mask=m < rows, other=0.0)[:, None]
        at = row[:, None] * channels + c[None, :]
        values = tl.load(x + at, mask=inside, other=0.0).to(tl.float32)
        for_red += of_red * values
        for_green += of_green * values
        for_blue += of_blue * values
        own = of_red * red + of_green * green + of_blue * blue
        tl.store(of_x + at, own.to(of_x.dtype.element_ty), mask=inside)
    of_weight += (n * down + part) * 3 * channels + c
    tl.store(of_weight, tl.sum(for_red, axis=0), mask=c < channels)
    tl.store(of_weight + channels, tl.sum(for_green, axis=0), mask=c < channels)
    tl.store(of_weight + 2 * channels, tl.sum(for_blue, axis=0), mask=c < channels)
