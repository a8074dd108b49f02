"""How far apart two frames are, as people see it: what projections minimise.

LPIPS (Zhang et al., CVPR 2018): the feature maps of a frozen network of images are scaled to length 1 over channels at
each place; the squares of their differences are weighted by channel, averaged over places, and added up over depths.
Where no channel weights are known, each is 1. Without any network, pixels and their gradients at several scales take
the place of its maps. Every distance thus consists of maps and weights, and can be added to another.
"""

from __future__ import annotations

import abc
import contextlib
from collections.abc import Callable, Sequence
from typing import Protocol

import torch.nn.functional as F
from torch import Tensor, nn

from ..errors import InrvidError, did_you_mean
from ..evaluation.detectors import vgg16
from ..evaluation.detectors.base import NotHere
from ..evaluation.detectors.efficientnet_lite0 import load_efficientnet_lite0
from ..evaluation.detectors.sources import SOURCES
from ..evaluation.detectors.vgg16 import load_vgg16
from ..evaluation.detectors.weights import find_weights

MOST_SIDE = 256
"""Larger frames are reduced to it (StyleGAN2's projection does)."""

EPS = 1e-10
"""Added to squared lengths of features."""

AUTO = "auto"

OF_PIXELS = 1.0
"""Weight of the distance of pixels beside that of features. Three frames of 32 × 32 by VGG16, 150 steps: 36.5 dB and an
LPIPS of 0.0020 with it, 25.5 dB and 0.0139 without: features alone lead a short search astray."""

LEAST_OF_LITE0 = 64
"""Side below which frames are enlarged: the network halves them five times."""

LEAST_SCALE = 8
"""Pixels a side of the smallest picture of a pyramid, or a little more."""


class Distance(nn.Module, abc.ABC):
    """Frames → maps, and the distance between two sets of maps. Nothing in it is learned; `to(device)` moves it."""

    name: str
    """Its name for `open_distance`."""

    @property
    @abc.abstractmethod
    def said(self) -> str:
        """What it is, for people, in a few words."""

    @property
    @abc.abstractmethod
    def weights(self) -> Sequence[Tensor | float]:
        """The weight of each of the `maps`: one number, or one per channel, `[C]`."""

    @abc.abstractmethod
    def maps(self, frames: Tensor) -> list[Tensor]:
        """The maps of frames `[N, 3, H, W]` in [−1, 1], `[N, C, h, w]` each."""

    def between(self, first: Sequence[Tensor], second: Sequence[Tensor]) -> Tensor:
        """Distances `[N]` between two sets of maps. A second set of n < N frames, n a divisor of N, is repeated."""
        total: Tensor | None = None
        for a, b, weight in zip(first, second, self.weights, strict=True):
            weight = weight.view(-1, 1, 1) if isinstance(weight, Tensor) else weight
            apart = ((a.unflatten(0, (-1, len(b))) - b).square() * weight).sum(2).mean((2, 3)).flatten()
            total = apart if total is None else total + apart
        assert total is not None
        return total

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        """Distances `[N]` of frames `[N, 3, H, W]`."""
        return self.between(self.maps(first), self.maps(second))


class Pixels(Distance):
    """Squared differences of pixels, and of their steps to the right and downwards, at several scales: means over the
    plane, over channels and over scales."""

    name = "pixels"

    @property
    def said(self) -> str:
        return "pixels and their gradients at several scales"

    def __init__(self, side: int):
        super().__init__()
        self.scales = max(1, (min(side, MOST_SIDE) // LEAST_SCALE).bit_length())

    @property
    def weights(self) -> Sequence[float]:
        return [1 / (3 * self.scales)] * (3 * self.scales)

    def maps(self, frames: Tensor) -> list[Tensor]:
        found, x = [], _at_most(frames, MOST_SIDE)
        for scale in range(self.scales):
            x = F.avg_pool2d(x, 2, ceil_mode=True) if scale else x
            found += [x, x.diff(dim=-1), x.diff(dim=-2)]
        return found


class MapNetwork(Protocol):
    """A frozen network with feature maps."""

    def maps(self, frames: Tensor) -> list[Tensor]: ...


class Features(Distance):
    """LPIPS over a frozen network, plus the distance of pixels: features alone forgive wrong colours.

    Args:
        network: frames → feature maps; a module.
        channels: channel weights for each of the maps, one per channel or one for all.
        least: side below which frames are enlarged to it, or a little more.
        pixels: weight of the distance of pixels; 0: as in the paper.
    """

    def __init__(
        self,
        name: str,
        network: MapNetwork,
        channels: Sequence[Tensor | float],
        *,
        least: int,
        side: int,
        pixels: float,
    ):
        super().__init__()
        self.name, self.network, self.least = name, network, least
        self.pixels, self.of_pixels = Pixels(side), pixels
        self.channels = channels

    @property
    def said(self) -> str:
        return f"features of {self.name}" + (f", and {self.of_pixels:g} × {self.pixels.said}" if self.of_pixels else "")

    @property
    def weights(self) -> Sequence[Tensor | float]:
        return [*self.channels, *(weight * self.of_pixels for weight in self.pixels.weights)]

    def maps(self, frames: Tensor) -> list[Tensor]:
        images = _at_most(frames, MOST_SIDE)
        side = min(images.shape[-2:])
        if side < self.least:
            images = F.interpolate(images, scale_factor=-(-self.least // side), mode="bilinear", align_corners=False)
        return [*map(_of_length_one, self.network.maps(images)), *self.pixels.maps(frames)]


def _of_length_one(x: Tensor) -> Tensor:
    """Features scaled to length 1 at each place. (The square root of 0 has no gradient: hence the sum inside.)"""
    return x / (x.square().sum(1, keepdim=True) + EPS).sqrt()


def _at_most(frames: Tensor, side: int) -> Tensor:
    """Frames, reduced with antialiasing if their shorter side is longer than `side`."""
    height, width = frames.shape[-2:]
    if min(height, width) <= side:
        return frames
    size = (round(height * side / min(height, width)), round(width * side / min(height, width)))
    return F.interpolate(frames, size, mode="bilinear", align_corners=False, antialias=True)


def open_distance(name: str = AUTO, *, side: int, pixels: float = OF_PIXELS) -> Distance:
    """A distance between frames of `side` pixels.

    Args:
        name: `vgg16`, `efficientnet_lite0`, `pixels`; `auto`: the first of these whose weights are here.
        pixels: weight of the distance of pixels beside that of features.

    Raises:
        NotHere: a network whose weights are not here; the message says how to get them.
        InrvidError: no such name.
    """
    if name == AUTO:
        for network in NETWORKS:
            with contextlib.suppress(NotHere):
                return open_distance(network, side=side, pixels=pixels)
        return Pixels(side)
    if name in NETWORKS:
        return NETWORKS[name](side, pixels)
    if name != Pixels.name:
        known = [AUTO, *NETWORKS, Pixels.name]
        raise InrvidError(f"no distance '{name[:40]}'.{did_you_mean(name, known)} available: {', '.join(known)}")
    return Pixels(side)


def _vgg16(side: int, pixels: float) -> Features:
    network = load_vgg16(find_weights(SOURCES["vgg16"]).tensors)
    return Features("vgg16", network, list(network.linear), least=vgg16.LEAST_SIDE, side=side, pixels=pixels)


def _efficientnet_lite0(side: int, pixels: float) -> Features:
    weights = find_weights(SOURCES["efficientnet_lite0"])
    network = load_efficientnet_lite0(weights.tensors, weights.eps)
    return Features("efficientnet_lite0", network, [1.0] * 4, least=LEAST_OF_LITE0, side=side, pixels=pixels)


NETWORKS: dict[str, Callable[[int, float], Features]] = {"vgg16": _vgg16, "efficientnet_lite0": _efficientnet_lite0}
"""Distances by name, the better ones first."""
