"""C3D: eight 3D convolutions, five pools and three fully connected layers (Tran et al., ICCV 2015, section 3.3 and
figure 3), for clips of 16 frames at 112×112. Fine-tuned to UCF-101, it is the classifier behind inception scores of
videos (TGAN: Saito et al., ICCV 2017).

Widths and the number of classes are those of the weights. What weight files do not say, and implementations differ in,
is set by configuration keys and is part of the digest: the order of colours, what is subtracted from them, and the last
pool.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from ...config import PartConfig, PathText
from ...errors import InrvidError
from ...weights import WeightsError
from .base import RESIZE, Detector, DetectorDigest, resized
from .brought import find_brought
from .networks import assign, needed
from .sources import BROUGHT

FRAMES, SIDE = 16, 112

CONVOLUTIONS = ("conv1", "conv2", "conv3a", "conv3b", "conv4a", "conv4b", "conv5a", "conv5b")
POOLED = ("conv1", "conv2", "conv3b", "conv4b")
"""Convolutions followed by a pool that halves the sides."""
LAST_SIDE = 4
"""Side of the maps after the last pool."""

Shade = Annotated[float, Field(ge=0, le=255)]


class C3d(Detector):
    """Features of clips of 16 frames by C3D: logits of its classes, or the layers below them.

    A file of weights may also have a tensor `mean`: the mean clip that was subtracted in training, `[3, 16, h, w]`, in
    units of 8 bits and in the order of colours that the network takes. The middle of its h × w is used.

    Raises:
        NotHere: no weights.
        InrvidError: weights that do not fit.
    """

    source = "Tran et al. (ICCV 2015)"

    class Config(PartConfig):
        outputs: Literal["logits", "fc7", "fc6"] = Field(
            "logits", description="logits of the classes, or the rectified features of the layer fc7 or fc6"
        )
        colours: Literal["bgr", "rgb"] = Field("bgr", description="order of a pixel's channels; bgr: OpenCV's, Caffe's")
        mean: Annotated[tuple[Shade, Shade, Shade], Field(strict=False)] = Field(
            (90, 98, 102),
            description="of the colours, in their order, to subtract; a mean clip in the file of weights replaces it",
        )
        last_pool: Literal["centred", "front"] = Field(
            "centred", description="of 7×7 maps, with a border of zeros; front: of pairs from the first, as in Caffe"
        )
        weights: PathText | None = Field(
            None, description="safetensors or a PyTorch state dict; default: as fetched (inrvid detectors fetch c3d)"
        )
        sha256: str | None = Field(None, pattern=r"^[0-9a-f]{64}$", description="what the sha256 of `weights` must be")

    config: Config
    min_frames: ClassVar[int] = FRAMES
    max_frames: ClassVar[int] = FRAMES
    logits_with: ClassVar[Mapping[str, str]] = {"outputs": "logits"}

    mean: Tensor

    def __init__(self, config: Config):
        super().__init__(config)
        source = BROUGHT["c3d"]
        tensors, sha256 = find_brought(source, config.weights, config.sha256)
        try:
            weights = without_prefix(tensors)
            of_file = weights.pop("mean", None)
            mean = torch.tensor(config.mean).view(3, 1, 1, 1) if of_file is None else middle(of_file)
            self.network = load_c3d(weights, config.last_pool)
        except WeightsError as error:
            raise InrvidError(f"{config.weights or source.name}: {error}") from None
        self.register_buffer("mean", mean)
        width = getattr(self.network, "fc8" if config.outputs == "logits" else config.outputs).out_features
        subtracted = "/".join(f"{value:g}" for value in config.mean) if of_file is None else "a mean clip"
        self.digest = DetectorDigest(
            name=source.name,
            sha256=sha256,
            features=f"{config.outputs} ({width}), {config.colours} less {subtracted}, last pool {config.last_pool}",
            resize=RESIZE.format(side=SIDE),
        )

    def _features(self, clips: Tensor) -> Tensor:
        pixels = (resized(clips.float(), SIDE) + 1) * 127.5
        if self.config.colours == "bgr":
            pixels = pixels.flip(2)
        return self.network(pixels.transpose(1, 2) - self.mean, self.config.outputs)


class C3dNetwork(nn.Module):
    """Clips `[B, 3, 16, 112, 112]`, less their mean, in units of 8 bits, → logits `[B, classes]`.

    Args:
        widths: widths of its layers, by name.
    """

    def __init__(self, widths: Mapping[str, int], last_pool: Literal["centred", "front"] = "centred"):
        super().__init__()
        self.centred = last_pool == "centred"
        channels = 3
        for name in CONVOLUTIONS:
            self.add_module(name, nn.Conv3d(channels, widths[name], 3, padding=1))
            channels = widths[name]
        self.fc6 = nn.Linear(channels * LAST_SIDE**2, widths["fc6"])
        self.fc7 = nn.Linear(widths["fc6"], widths["fc7"])
        self.fc8 = nn.Linear(widths["fc7"], widths["fc8"])

    def forward(self, x: Tensor, outputs: str = "logits") -> Tensor:
        for name in CONVOLUTIONS:
            x = self.get_submodule(name)(x).relu_()
            if name in POOLED:  # the first pools within a frame only
                x = F.max_pool3d(x, (1, 2, 2) if name == "conv1" else 2)
        fc6 = self.fc6(self._last_pool(x).flatten(1)).relu()
        if outputs == "fc6":
            return fc6
        fc7 = self.fc7(fc6).relu()
        return fc7 if outputs == "fc7" else self.fc8(fc7)

    def _last_pool(self, x: Tensor) -> Tensor:
        """`[B, C, 2, 7, 7]` → `[B, C, 1, 4, 4]`. What is pooled is rectified, so a border of −∞ acts as zeros."""
        return F.max_pool3d(x, 2, padding=(0, 1, 1)) if self.centred else F.max_pool3d(x, 2, ceil_mode=True)


def load_c3d(tensors: Mapping[str, Tensor], last_pool: Literal["centred", "front"] = "centred") -> C3dNetwork:
    """The network with these weights, `conv1.weight` … `fc8.bias`, float32, in evaluation mode, without gradients.

    Raises:
        WeightsError: a tensor is missing, left over, or of another shape.
    """
    names = (*CONVOLUTIONS, "fc6", "fc7", "fc8")
    widths = {name: needed(tensors, f"{name}.bias").numel() for name in names}
    with torch.device("meta"):
        network = C3dNetwork(widths, last_pool)
    assign(network, {name: value.float() for name, value in tensors.items()})
    return network


def without_prefix(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """`module.features.conv1.weight` → `conv1.weight`: without what ports put before layers' names. Raises
    WeightsError."""
    found: dict[str, Tensor] = {}
    for name, value in tensors.items():
        *_, layer, kind = "", *name.split(".")
        short = kind if kind == "mean" else f"{layer}.{kind}"
        if short in found:
            raise WeightsError(f"these weights do not fit the model: two of them are called {short[:80]}")
        found[short] = value
    return found


def middle(mean: Tensor) -> Tensor:
    """The middle of a mean clip, `[3, 16, 112, 112]`, float32. Raises WeightsError if it is not one."""
    clip = mean.squeeze(0) if mean.ndim == 5 else mean
    if clip.ndim != 4 or clip.shape[:2] != (3, FRAMES) or min(clip.shape[2:]) < SIDE or not clip.isfinite().all():
        raise WeightsError(f"mean: a clip [3, {FRAMES}, {SIDE}, {SIDE}] or larger is expected, got {list(mean.shape)}")
    top, left = ((size - SIDE) // 2 for size in clip.shape[2:])
    return clip[:, :, top : top + SIDE, left : left + SIDE].float()
