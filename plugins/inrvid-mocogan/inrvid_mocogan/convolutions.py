"""What MoCoGAN's discriminators are made of: convolutions that halve the side, on frames or on clips.

Layers are numbered as in the release (`main.<i>`): noise, convolution, batch normalisation (not in the first), leaky
ReLU, and so on. On clips a convolution is 4×4×4 (time, height, width), and shortens time by 3 where time is not padded.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from typing import Literal

from torch import Tensor, nn

from inrvid.plugins import InstanceNoise

from .layers import BatchNorm2d, BatchNorm3d, Half, Stack

Init = Literal["release", "torch"]
MOST_HALVINGS = 4
SLOPE = 0.2
PADDED = 2
"""Frames at each end, where time is padded."""


class FrameCritic(nn.Module):
    """Frames `[N, C, R, R]` → logits `[N, …]`, without dimensions of size 1.

    Args:
        widths: channels of a frame, and after each halving.
        full: the last convolution is 4×4 without padding; else (`patch`) it halves the side once more.
        noise: σ.
        half: precisions of the convolutions.
    """

    def __init__(self, widths: Sequence[int], *, full: bool, noise: float = 0.0, half: Half = ()):
        super().__init__()
        top = [last(2, widths[-1], 1)] if full else [InstanceNoise(noise), halving(2, widths[-1], 1)]
        self.main = Stack([*stack(2, widths, noise=noise), *top], half)

    def forward(self, x: Tensor) -> Tensor:
        return squeezed(self.main(x), 1)


class ClipCritic(nn.Module):
    """Clips `[B, C, T, R, R]` → logits `[B, …]`, without dimensions of size 1.

    Args:
        widths, full, noise, half: as of `FrameCritic`.
        outputs: 1, or 1 + classes.
        extra: 3×3×3 convolutions before the last.
        padded: number of convolutions, counted from the first, that pad time; 6 stands for all of them, the last
            one too.
    """

    def __init__(
        self,
        widths: Sequence[int],
        outputs: int = 1,
        *,
        full: bool,
        noise: float = 0.0,
        extra: int = 0,
        padded: int = 0,
        half: Half = (),
    ):
        super().__init__()
        self.outputs = outputs
        more = [layer for i in range(extra) for layer in same(widths[-1], noise, padded=MOST_HALVINGS + i < padded)]
        top = last(3, widths[-1], outputs, padded=padded == 6) if full else halving(3, widths[-1], outputs)
        self.main = Stack([*stack(3, widths, noise=noise, padded=padded), *more, top], half)

    def forward(self, x: Tensor) -> Tensor:
        """With classes `[B, 1, …]`."""
        y = self.main(x)
        return squeezed(y, 1) if self.outputs == 1 else squeezed(y[:, :1], 2)

    def with_classes(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(logits `[B, 1, …]`, class logits `[B, classes, …]`); there may be 0 classes."""
        y = self.main(x)
        return squeezed(y[:, :1], 2), squeezed(y[:, 1:], 2)


def halvings(resolution: int) -> int:
    """How often a full discriminator halves the side: down to 4, at most 4 times."""
    return min(MOST_HALVINGS, resolution.bit_length() - 3)


def widths_of(channels: int, resolution: int, base: int, most: int) -> list[int]:
    """Channels of a frame and after each halving, min(base // side, most)."""
    sides = [resolution >> i for i in range(1, halvings(resolution) + 1)]
    return [channels, *(min(base // side, most) for side in sides)]


def least_frames(halvings: int, *, full: bool, extra: int = 0, padded: int = 0) -> int:
    """Frames that a clip must have, so that each convolution of a `ClipCritic` has something to take in."""
    halved = [3 - 2 * PADDED * (i < padded) for i in range(halvings)]
    kept = [2 - 2 * (PADDED if MOST_HALVINGS + i < padded else 1) for i in range(extra)]
    needed = 1
    for shortened in reversed([*halved, *kept, *([3 - 2 * PADDED * (padded == 6)] if full else [])]):
        needed = max(1, needed + shortened)
    return needed


def stack(dims: int, widths: Sequence[int], *, noise: float, padded: int = 0) -> Iterator[nn.Module]:
    """A halving for each of `widths[1:]`; dims: 2 for frames, 3 for clips."""
    for i, (a, b) in enumerate(itertools.pairwise(widths)):
        yield InstanceNoise(noise)
        yield halving(dims, a, b, padded=i < padded)
        if i:
            yield BatchNorm2d(b) if dims == 2 else BatchNorm3d(b)
        yield nn.LeakyReLU(SLOPE)


def same(channels: int, noise: float, *, padded: bool) -> list[nn.Module]:
    """A 3×3×3 convolution that keeps the size, or, padded, makes clips longer."""
    convolution = nn.Conv3d(channels, channels, 3, padding=(PADDED if padded else 1, 1, 1), bias=False)
    return [InstanceNoise(noise), convolution, BatchNorm3d(channels), nn.LeakyReLU(SLOPE)]


def halving(dims: int, in_channels: int, out_channels: int, *, padded: bool = False) -> nn.Module:
    """4×4, stride 2; of clips 4×4×4, strides (1, 2, 2)."""
    if dims == 2:
        return nn.Conv2d(in_channels, out_channels, 4, 2, 1, bias=False)
    return nn.Conv3d(in_channels, out_channels, 4, (1, 2, 2), (PADDED if padded else 0, 1, 1), bias=False)


def last(dims: int, in_channels: int, out_channels: int, *, padded: bool = False) -> nn.Module:
    """4×4, or 4×4×4, without padding except of time."""
    if dims == 2:
        return nn.Conv2d(in_channels, out_channels, 4, bias=False)
    return nn.Conv3d(in_channels, out_channels, 4, padding=(PADDED if padded else 0, 0, 0), bias=False)


def initialise(module: nn.Module, init: Init) -> None:
    """`release`: as in PyTorch 0.2, for which MoCoGAN was written: weights U(±1/√(c_in·k^dims)), batch norm's U(0, 1).
    `torch`: left as today's PyTorch makes them, with c_out in place of c_in for a transposed convolution."""
    if init == "torch":
        return
    for layer in module.modules():
        if isinstance(layer, nn.ConvTranspose2d):
            bound = 1 / math.sqrt(layer.in_channels * math.prod(layer.kernel_size))
            nn.init.uniform_(layer.weight, -bound, bound)
        elif isinstance(layer, (BatchNorm2d, BatchNorm3d)):
            nn.init.uniform_(layer.weight, 0, 1)


def squeezed(x: Tensor, kept: int) -> Tensor:
    """Without the dimensions of size 1 after the first `kept`."""
    return x.reshape(*x.shape[:kept], *(side for side in x.shape[kept:] if side != 1))
