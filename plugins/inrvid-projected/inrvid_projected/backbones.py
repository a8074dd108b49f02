"""Frozen networks of frames: frames `[N, 3, S, S]` in [−1, 1] → feature maps at S/4, S/8, S/16 and S/32.

Their weights come from where those of detectors do (`inrvid detectors fetch efficientnet_lite0`; timm's from the Hub,
or a file). They are non-persistent buffers: nothing that trains or averages parameters touches them, and no checkpoint
repeats tens of megabytes that never change.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from inrvid.plugins import (
    SOURCES,
    EfficientNetLite0Network,
    InrvidError,
    find_weights,
    load_efficientnet_lite0,
    timm_network,
)

LITE0 = "efficientnet_lite0"
RANDOM = "random"
"""Given in place of a file of weights."""
STRIDES = (4, 8, 16, 32)


class Backbone(nn.Module):
    """A frozen network, always in evaluation mode, and the `widths` of its four maps.

    `sha256` is that of its weights' file, None if they are random.
    """

    widths: tuple[int, ...]
    sha256: str | None

    def __init__(self, network: nn.Module, sha256: str | None):
        super().__init__()
        # In this layout depthwise convolutions take half the time on a CPU.
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.network, self.sha256 = freeze(network), sha256

    def train(self, mode: bool = True) -> Backbone:
        """Its statistics are those that it was trained with, whatever the discriminator does."""
        return super().train(False)


class Lite0(Backbone):
    """EfficientNet-lite0 (Tan & Le, ICML 2019): the library's own, trained on ImageNet."""

    widths = (24, 40, 112, 320)

    def forward(self, frames: Tensor) -> list[Tensor]:
        return self.network.maps(frames.contiguous(memory_format=torch.channels_last))  # type: ignore[operator]


class OfTimm(Backbone):
    """A network of timm's that has maps at all four strides."""

    mean: Tensor
    std: Tensor

    def __init__(self, network: nn.Module, sha256: str | None, places: list[int], mean: Tensor, std: Tensor):
        super().__init__(network, sha256)
        self.places = places
        self.register_buffer("mean", mean, persistent=False)
        self.register_buffer("std", std, persistent=False)

    def forward(self, frames: Tensor) -> list[Tensor]:
        maps = self.network((frames / 2 + 0.5 - self.mean) / self.std)
        return [maps[place] for place in self.places]


def backbone(name: str, weights: str | None, sha256: str | None, seed: int) -> Backbone:
    """The frozen network of this name.

    Args:
        weights: a file; None: as fetched; `random`: random numbers, determined by the seed.
        sha256: required sha256 of the weights' file.

    Raises:
        InrvidError: no such network, no weights of it here (the message says how to get them), or others than asked
            for.
    """
    with torch.random.fork_rng(devices=[]):
        torch.random.default_generator.manual_seed(seed)
        found = lite0(weights, sha256) if name == LITE0 else of_timm(name, weights, sha256)
    if sha256 not in (None, found.sha256):
        raise InrvidError(f"{name}: the sha256 of its weights is {found.sha256}, not {sha256} as the model was trained")
    return found


def lite0(weights: str | None, sha256: str | None) -> Backbone:
    if weights == RANDOM:
        return Lite0(scaled(EfficientNetLite0Network()), None)
    found = find_weights(SOURCES[LITE0], weights, sha256)
    network = load_efficientnet_lite0(found.tensors, found.eps)
    return Lite0(network, found.sha256)


def of_timm(name: str, weights: str | None, sha256: str | None) -> Backbone:
    given = {"pretrained": False} if weights == RANDOM else {"weights": weights, "sha256": sha256}
    found = timm_network(name, **given, features_only=True)
    strides, widths = found.network.feature_info.reduction(), found.network.feature_info.channels()
    if missing := {*STRIDES} - {*strides}:
        raise InrvidError(
            f"timm: {name} has no maps at 1/{min(missing)} of the frames' size: take a network of convolutions that "
            "has 1/4, 1/8, 1/16 and 1/32"
        )
    places = [max(place for place, of_place in enumerate(strides) if of_place == stride) for stride in STRIDES]
    frozen = OfTimm(found.network, found.sha256 or None, places, found.mean, found.std)
    frozen.widths = tuple(widths[place] for place in places)
    return frozen


def scaled(network: nn.Module) -> nn.Module:
    """Random weights that keep the size of features through rectified layers (He et al., ICCV 2015)."""
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight)
            nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
    return network


def freeze(network: nn.Module) -> nn.Module:
    """The network with its parameters, and its buffers, as buffers that are not saved."""
    for module in network.modules():
        for name, value in [*module.named_parameters(recurse=False), *module.named_buffers(recurse=False)]:
            delattr(module, name)
            module.register_buffer(name, value.detach(), persistent=False)
    return network.eval()
