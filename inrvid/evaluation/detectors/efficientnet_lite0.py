"""EfficientNet-lite0: inverted residual blocks with ReLU6, without squeeze-and-excitation (EfficientNet: Tan & Le, ICML
2019, table 1; blocks: Sandler et al., CVPR 2018). A small and quick network for single frames.

Convolutions are padded to 'SAME'; batch norms are folded into them when weights are loaded.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar, Literal, NamedTuple

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from ...config import PartConfig, PathText
from ...errors import InrvidError
from ...weights import WeightsError
from .base import DTYPES, RESIZE, Detector, DetectorDigest, exact_products, resized
from .networks import NORM, fill, folded, needed, same
from .sources import SOURCES
from .weights import find_weights

SIDE = 224
CLASSES = 1000
POOLED = 1280

FRAMES_AT_ONCE = 16
"""Frames that go through the network together: a few tens of megabytes each, where it is widest."""


class Stage(NamedTuple):
    """Blocks in a row; the first of them has the stride."""

    expand: int
    width: int
    blocks: int
    stride: int
    kernel: int


STAGES = (
    Stage(1, 16, 1, 1, 3),
    Stage(6, 24, 2, 2, 3),
    Stage(6, 40, 2, 2, 5),
    Stage(6, 80, 3, 2, 3),
    Stage(6, 112, 3, 1, 5),
    Stage(6, 192, 4, 2, 5),
    Stage(6, 320, 1, 1, 3),
)


class EfficientNetLite0(Detector):
    """Features of clips by a network for single frames: means over the frames of a clip.

    Raises:
        InrvidError: no weights (the message has the command that gets them), or some that do not fit.
    """

    source = "EfficientNet: Tan & Le (ICML 2019)"

    class Config(PartConfig):
        outputs: Literal["pooled", "logits"] = Field(
            "pooled", description="1280 features of a frame, or the 1000 logits that are linear functions of them"
        )
        precision: Literal["fp32", "bf16", "fp16"] = Field("fp32", description="of the network's numbers")
        weights: PathText | None = Field(None, description="file of weights; default: as fetched")
        sha256: str | None = Field(None, pattern=r"^[0-9a-f]{64}$", description="what the sha256 of `weights` must be")

    config: Config
    logits_with: ClassVar[Mapping[str, str]] = {"outputs": "logits"}

    def __init__(self, config: Config):
        super().__init__(config)
        source = SOURCES["efficientnet_lite0"]
        weights = find_weights(source, config.weights, config.sha256)
        try:
            network = load_efficientnet_lite0(weights.tensors, weights.eps)
        except WeightsError as error:
            raise InrvidError(f"{config.weights or source.name}: {error}") from None
        self.network = network.to(DTYPES[config.precision])
        self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.digest = DetectorDigest(
            name=source.name,
            package=weights.package,
            version=weights.version,
            licence=weights.licence,
            sha256=weights.sha256,
            features=f"{config.outputs} ({POOLED if config.outputs == 'pooled' else CLASSES}), mean over frames",
            resize=RESIZE.format(side=SIDE),
            precision=config.precision,
        )

    @torch.inference_mode()
    def frame_features(self, frames: Tensor) -> Tensor:
        """Features, float32 `[N, n]`, of frames `[N, 3, H, W]` in [−1, 1], each by itself."""
        with exact_products():
            return torch.cat([self._some(frames) for frames in frames.split(FRAMES_AT_ONCE)])

    def _features(self, clips: Tensor) -> Tensor:
        return torch.stack([self.frame_features(clip).mean(0) for clip in clips])

    def _some(self, frames: Tensor) -> Tensor:
        images = resized(frames.float(), SIDE).to(DTYPES[self.config.precision])
        pooled = self.network.pooled(images.contiguous(memory_format=torch.channels_last))
        return (pooled if self.config.outputs == "pooled" else self.network.logits(pooled)).float()


class Conv(nn.Conv2d):
    """A convolution with 'SAME' padding and a bias, and a ReLU6 unless it is `linear`."""

    def __init__(self, channels: int, width: int, kernel: int, stride: int = 1, groups: int = 1, linear: bool = False):
        super().__init__(channels, width, kernel, stride, groups=groups)
        self.linear = linear

    def forward(self, x: Tensor) -> Tensor:
        x, padding = same(x, self.kernel_size, self.stride)
        x = F.conv2d(x, self.weight, self.bias, self.stride, padding, groups=self.groups)
        return x if self.linear else F.relu6(x, inplace=True)


class Block(nn.Module):
    """1×1 to more channels, a depthwise filter, 1×1 to fewer; added to the input if the shapes agree."""

    def __init__(self, channels: int, stage: Stage, stride: int):
        super().__init__()
        inner = channels * stage.expand
        self.expand = Conv(channels, inner, 1) if stage.expand > 1 else None
        self.filter = Conv(inner, inner, stage.kernel, stride, groups=inner)
        self.project = Conv(inner, stage.width, 1, linear=True)
        self.residual = stride == 1 and channels == stage.width

    def forward(self, x: Tensor) -> Tensor:
        y = self.project(self.filter(x if self.expand is None else self.expand(x)))
        return x + y if self.residual else y

    def convolutions(self) -> Iterator[tuple[str, str, Conv]]:
        """(convolution, batch norm) as `efficientnet_pytorch` names them, and ours."""
        if self.expand is not None:
            yield "_expand_conv", "_bn0", self.expand
        yield "_depthwise_conv", "_bn1", self.filter
        yield "_project_conv", "_bn2", self.project


class EfficientNetLite0Network(nn.Module):
    """Frames `[N, 3, 224, 224]` in [−1, 1] → logits `[N, 1000]`."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = Conv(3, 32, 3, stride=2)
        self.blocks = nn.Sequential()
        channels = self.stem.out_channels
        for stage in STAGES:
            for number in range(stage.blocks):
                self.blocks.append(Block(channels, stage, stage.stride if number == 0 else 1))
                channels = stage.width
        self.head = Conv(channels, POOLED, 1)
        self.logits = nn.Linear(POOLED, CLASSES)

    def forward(self, frames: Tensor) -> Tensor:
        return self.logits(self.pooled(frames))

    def pooled(self, frames: Tensor) -> Tensor:
        """Spatial means of the last feature maps, `[N, 1280]`."""
        return self.head(self.blocks(self.stem(frames))).mean((2, 3))

    def maps(self, frames: Tensor) -> list[Tensor]:
        """The last feature maps of each size, of frames `[N, 3, S, S]`: 24, 40, 112 and 320 channels at S/4 … S/32.

        S is a multiple of 32; it was 224 in training.
        """
        found, x = [], self.stem(frames)
        for block in self.blocks:
            before, x = x, block(x)
            if x.shape[2] < before.shape[2]:
                found.append(before)
        return [*found[1:], x]

    def convolutions(self) -> Iterator[tuple[str, str, Conv]]:
        """(convolution, batch norm) as `efficientnet_pytorch` names them, and ours."""
        yield "_conv_stem", "_bn0", self.stem
        for number, block in enumerate(self.blocks):
            assert isinstance(block, Block)
            for conv, norm, ours in block.convolutions():
                yield f"_blocks.{number}.{conv}", f"_blocks.{number}.{norm}", ours
        yield "_conv_head", "_bn1", self.head


def load_efficientnet_lite0(tensors: Mapping[str, Tensor], eps: float = 1e-3) -> EfficientNetLite0Network:
    """The network with these weights (names of the `efficientnet_pytorch` family), in evaluation mode, without
    gradients. Raises WeightsError: a tensor is missing, left over, or of another shape."""
    network = EfficientNetLite0Network()
    known = {"_fc.weight", "_fc.bias"}
    for conv, norm, ours in network.convolutions():
        known |= {f"{conv}.weight", *(f"{norm}.{x}" for x in NORM)}
        fill(ours, conv, *folded(tensors, conv, norm, eps))
    if unknown := sorted({*tensors} - known):
        raise WeightsError(f"these weights do not fit the model: it has no place for {unknown[0]}")
    fill(network.logits, "_fc", needed(tensors, "_fc.weight"), needed(tensors, "_fc.bias"))
    return network.eval().requires_grad_(False)
