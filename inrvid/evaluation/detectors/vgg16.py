"""VGG16's convolutions (Simonyan & Zisserman, ICLR 2015, configuration D) as the network of a perceptual distance.

The weights are those of Shift-tolerant LPIPS (Ghildyal & Liu, ECCV 2022), whose network is LPIPS's (Zhang et al., CVPR
2018) with anti-aliased pooling (Zhang, ICML 2019): the largest of 2 × 2 neighbours at every position, then the binomial
filter [1, 2, 1] at every other position, with edges mirrored by two pixels.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .networks import assign

WIDTHS = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))
"""Channels of the convolutions between two poolings."""

MEAN, SCALE = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)
"""Subtracted from pixels in [−1, 1], and divided by: red, green, blue (LPIPS)."""

LEAST_SIDE = 32
"""Least side of frames: the last pooling mirrors two pixels, which must exist."""


class Vgg16Network(nn.Module):
    """Feature maps of frames at five depths, and the weight of each of their channels in a distance."""

    mean: Tensor
    scale: Tensor
    blur: Tensor

    def __init__(self) -> None:
        super().__init__()
        widths = [3, *(width for stage in WIDTHS for width in stage)]
        self.convs = nn.ModuleList(nn.Conv2d(a, b, 3, padding=1) for a, b in itertools.pairwise(widths))
        self.linear = nn.ParameterList(torch.ones(stage[-1]) for stage in WIDTHS)
        side = torch.tensor([0.25, 0.5, 0.25])
        self.register_buffer("mean", torch.tensor(MEAN).view(3, 1, 1), persistent=False)
        self.register_buffer("scale", torch.tensor(SCALE).view(3, 1, 1), persistent=False)
        self.register_buffer("blur", side[:, None] * side, persistent=False)

    def maps(self, frames: Tensor) -> list[Tensor]:
        """Frames `[N, 3, H, W]` in [−1, 1], at least `LEAST_SIDE` pixels a side → maps `[N, C, h, w]`."""
        x, convs = (frames - self.mean) / self.scale, iter(self.convs)
        found = []
        for number, stage in enumerate(WIDTHS):
            x = self._pooled(x) if number else x
            for _ in stage:
                x = F.relu(next(convs)(x))
            found.append(x)
        return found

    def _pooled(self, x: Tensor) -> Tensor:
        largest = F.pad(F.max_pool2d(x, 2, stride=1), (2, 2, 2, 2), mode="reflect")
        return F.conv2d(largest, self.blur.expand(x.shape[1], 1, 3, 3), stride=2, groups=x.shape[1])


def load_vgg16(tensors: Mapping[str, Tensor]) -> Vgg16Network:
    """The network with these weights (names of `layouts.vgg16`), in evaluation mode, without gradients.

    Raises WeightsError: a tensor is missing, left over, or of another shape."""
    network = Vgg16Network()
    assign(network, tensors)
    return network
