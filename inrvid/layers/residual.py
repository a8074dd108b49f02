"""The residual discriminator of StyleGAN2 (CVPR 2020), as parts from which discriminators are built."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping

import torch
from torch import Tensor, nn

from .conv import EqConv2d
from .half import block_dtype, to_precision
from .linear import EqLinear
from .modulated_conv import ModulatedConv2d
from .precision import at_least_float32


def from_rgb(in_channels: int, channels: int, *, half: bool = False) -> EqConv2d:
    """A pointwise convolution with leaky ReLU: frames (or several, and planes) → features."""
    return EqConv2d(in_channels, channels, 1, activate=True, half=half)


class ResidualBlock(nn.Module):
    """`[N, in, H, W]` → `[N, out, H/2, W/2]`: (3×3, 3×3 down) + 1×1 down, each path with gain √½.

    With `style_dim`, the first convolution is modulated and demodulated by a style `[B, style_dim]`, the same for
    N/B consecutive inputs.
    """

    def __init__(self, in_channels: int, channels: int, out_channels: int, *, style_dim: int = 0, half: bool = False):
        super().__init__()
        self.conv0: EqConv2d | ModulatedConv2d = (
            ModulatedConv2d(in_channels, channels, 3, style_dim, half=half)
            if style_dim
            else EqConv2d(in_channels, channels, 3, activate=True, half=half)
        )
        self.conv1 = EqConv2d(channels, out_channels, 3, down=True, activate=True, gain=0.5**0.5, half=half)
        self.skip = EqConv2d(in_channels, out_channels, 1, bias=False, down=True, gain=0.5**0.5)

    def forward(self, x: Tensor, style: Tensor | None = None) -> Tensor:
        return self.skip(x) + self.branch(x, style)

    def branch(self, x: Tensor, style: Tensor | None) -> Tensor:
        """The path of the 3×3 convolutions."""
        if isinstance(self.conv0, ModulatedConv2d):
            assert style is not None
            return self.conv1(self.conv0(x, self.conv0.modulated(style)))
        return self.conv1(self.conv0(x))


def run_blocks(
    rgb: EqConv2d,
    blocks: nn.ModuleDict,
    dtypes: Mapping[int, torch.dtype | None],
    x: Tensor,
    *,
    style: Tensor | None = None,
    before: Callable[[int, Tensor], Tensor] = lambda resolution, x: x,
) -> Tensor:
    """Run frames `[N, C, R, R]` through `rgb` and the blocks, each in its precision → features in the parameters'.

    `before(resolution, x)` may change a block's input.
    """
    own = rgb.weight.dtype
    x = x.contiguous(memory_format=torch.channels_last)
    x = rgb(to_precision(x, block_dtype(dtypes[max(dtypes)], rgb.weight)))
    for name, block in blocks.items():
        x = block(to_precision(before(int(name), x), block_dtype(dtypes[int(name)], rgb.weight)), style)
    return to_precision(x, own)


class Epilogue(nn.Module):
    """Features `[N, in, 4, 4]` → logit `[N]`; with `cmap_dim`, the projection onto `cmap` `[N, cmap_dim]`."""

    def __init__(self, in_channels: int, channels: int, *, cmap_dim: int = 0, mbstd_group: int = 4, half: bool = False):
        super().__init__()
        self.deviation = MinibatchStd(mbstd_group)
        self.conv = EqConv2d(in_channels + 1, channels, 3, activate=True, half=half)
        self.fc = EqLinear(channels * 16, channels, activate=True)
        self.out = EqLinear(channels, cmap_dim or 1)

    def forward(self, x: Tensor, cmap: Tensor | None = None) -> Tensor:
        x = self.deviation(x)
        x = self.out(self.fc(self.conv(x).flatten(1)))
        return x.squeeze(1) if cmap is None else (x * cmap).sum(dim=1) / cmap.shape[1] ** 0.5


class MinibatchStd(nn.Module):
    """`minibatch_std` of each of `batches` batches, which are concatenated in `[N, C, H, W]`."""

    def __init__(self, group_size: int):
        super().__init__()
        self.group_size = group_size
        self.batches = 1

    def forward(self, x: Tensor) -> Tensor:
        parts = [minibatch_std(part, self.group_size) for part in x.chunk(self.batches)]
        return parts[0] if self.batches == 1 else torch.cat(parts)


@contextlib.contextmanager
def separate_batches(module: nn.Module, count: int) -> Iterator[None]:
    """Within this context, `module`'s input holds `count` batches of equal size, and statistics are per batch."""
    layers = [layer for layer in module.modules() if isinstance(layer, MinibatchStd)]
    try:
        for layer in layers:
            layer.batches = count
        yield
    finally:
        for layer in layers:
            layer.batches = 1


def minibatch_std(x: Tensor, group_size: int) -> Tensor:
    """Append the mean standard deviation over groups of the batch as a channel (Karras et al., ICLR 2018).

    Sample i belongs to group i mod (N/G), where G is the largest divisor of N up to `group_size`.
    """
    count = x.shape[0]
    group = next((g for g in range(min(group_size, count), 1, -1) if count % g == 0), 1)
    grouped = at_least_float32(x.unflatten(0, (group, -1)))
    # Written out: `var` loses digits in its second derivative, which R1 needs.
    deviation = ((grouped - grouped.mean(dim=0)).square().mean(dim=0) + 1e-8).sqrt().mean(dim=(1, 2, 3))  # [N/G]
    plane = deviation.to(x.dtype).repeat(group)[:, None, None, None].expand(-1, 1, *x.shape[2:])
    return torch.cat([x, plane], dim=1)
