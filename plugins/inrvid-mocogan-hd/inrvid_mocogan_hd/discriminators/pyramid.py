"""Pyramids of patch discriminators (MoCoGAN-HD, ICLR 2021, appendix; after pix2pixHD, CVPR 2018).

The networks of all scales are alike. The first sees the input as it is, each further one the previous one's input at
half the size. What a scale sees is one of a discriminator's inputs, its logits a head.
"""

from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from inrvid.plugins import SLOPE

Norm = Literal["instance", "batch"]
LAYERS = 5
STRIDES = (2, 2, 2, 1, 1)
DEVIATION = 0.02
"""Standard deviation of initial weights."""
MANY = 16
"""Time steps beyond which time is halved, too, from scale to scale."""


def patches(dims: Literal[2, 3], in_channels: int, *, width: int, most: int, norm: Norm) -> nn.Sequential:
    """`[B, in, h, w]`, or `[B, in, t, h, w]` → a map of logits: kernels of side 4, padding 2, channels that double
    from layer to layer, up to `most`; instance norm keeps statistics of training, for evaluation."""
    conv = nn.Conv3d if dims == 3 else nn.Conv2d
    instance, batch = (nn.InstanceNorm3d, nn.BatchNorm3d) if dims == 3 else (nn.InstanceNorm2d, nn.BatchNorm2d)
    widths = [in_channels, *(min(width * 2**i, most) for i in range(LAYERS - 1)), 1]
    layers: list[nn.Module] = []
    for i, stride in enumerate(STRIDES):
        layers.append(conv(widths[i], widths[i + 1], 4, stride=stride, padding=2))
        if 0 < i < LAYERS - 1:
            own = instance(widths[i + 1], track_running_stats=True) if norm == "instance" else batch(widths[i + 1])
            layers.append(own)
        if i < LAYERS - 1:
            layers.append(nn.LeakyReLU(SLOPE))
    return _initialised(nn.Sequential(*layers))


def scales(x: Tensor, count: int) -> list[Tensor]:
    """The input at each scale, full size first: means over 3 pixels at every second one, without padding's zeros."""
    found = [x]
    while len(found) < count:
        found.append(_halved(found[-1]))
    return found


def pooled(frames: Tensor, side: int) -> Tensor:
    """Frames `[B, T, 3, R, R]`, average-pooled to `[B, T, 3, side, side]` where they are larger."""
    factor = frames.shape[3] // side
    return frames if factor <= 1 else F.avg_pool2d(frames.flatten(0, 1), factor).unflatten(0, frames.shape[:2])


def _halved(x: Tensor) -> Tensor:
    if x.ndim == 4:
        return F.avg_pool2d(x, 3, stride=2, padding=1, count_include_pad=False)
    in_time = 2 if x.shape[2] > MANY else 1
    return F.avg_pool3d(x, 3, stride=(in_time, 2, 2), padding=1, count_include_pad=False)


@torch.no_grad()
def _initialised(layers: nn.Sequential) -> nn.Sequential:
    for layer in layers:
        if isinstance(layer, (nn.Conv2d, nn.Conv3d)):
            nn.init.normal_(layer.weight, std=DEVIATION)
        elif isinstance(layer, (nn.BatchNorm2d, nn.BatchNorm3d)):
            nn.init.normal_(layer.weight, 1.0, DEVIATION)
    return layers
