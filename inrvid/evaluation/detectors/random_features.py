"""A detector for tests: a small network of random weights, which needs no file."""

from __future__ import annotations

import itertools
from typing import ClassVar

import torch
from pydantic import Field
from torch import Tensor, nn

from ...config import PartConfig, Seed
from .base import RESIZE, Detector, DetectorDigest, resized
from .weights import tensors_digest

SIDE = 32
WIDTHS = (3, 16, 32, 64)


class RandomFeatures(Detector):
    """64 features of clips by three random 3D convolutions, always the same for the same seed.

    They tell a moving clip from a frozen one and noise from pictures, and mean nothing else: their scores are for
    tests, as the digest says.
    """

    class Config(PartConfig):
        seed: Seed = Field(0, description="seed of the weights")

    config: Config
    min_frames: ClassVar[int] = 2

    def __init__(self, config: Config):
        super().__init__(config)
        layers: list[nn.Module] = []
        for channels, width in itertools.pairwise(WIDTHS):
            layers += [nn.Conv3d(channels, width, 3, stride=(1, 2, 2), padding=1), nn.LeakyReLU(0.2)]
        self.network = nn.Sequential(*layers).eval().requires_grad_(False)
        draws = torch.Generator().manual_seed(config.seed)
        for layer in self.network:
            if isinstance(layer, nn.Conv3d) and layer.bias is not None:
                scale = (2 / layer.weight[0].numel()) ** 0.5
                layer.weight.copy_(scale * torch.randn(layer.weight.shape, generator=draws))
                layer.bias.copy_(0.1 * torch.randn(layer.bias.shape, generator=draws))
        self.digest = DetectorDigest(
            name="random",
            sha256=tensors_digest(self.network.state_dict()),
            features=f"pooled ({WIDTHS[-1]})",
            resize=RESIZE.format(side=SIDE),
            trained=False,
        )

    def _features(self, clips: Tensor) -> Tensor:
        return self.network(resized(clips.float(), SIDE).transpose(1, 2)).mean((2, 3, 4))
