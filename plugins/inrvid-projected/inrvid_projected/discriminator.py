"""Projected GAN's discriminator (NeurIPS 2021), for clips: frozen features, mixed at random, a small head per scale.

Frames go through a frozen network one by one; its features at four scales are mixed by random fixed 1×1 convolutions
over channels and, from the coarsest scale down, over scales. Then the features of a clip's frames are concatenated in
time order (or averaged), and a head per scale judges patches of them, conditioned on how far apart in time the frames
are, as in StyleGAN-V's discriminator (CVPR 2022, §3.2).

**What is saved** are the heads, the mixing, and the networks of the condition. The backbone is not: its weights are
published, never change, and would be most of each checkpoint. The configuration of a saved model has their sha256
instead: it is loaded with the very same weights, and if these are missing, an error gives the command that fetches them
(a generator needs none).
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from inrvid.plugins import (
    Count,
    Discriminator,
    Layers,
    MappingNetwork,
    PathText,
    Seed,
    Tensors,
    TimeEmbedding,
    to_precision,
)

from .backbones import LITE0, RANDOM, STRIDES, backbone
from .heads import ScaleHead
from .mixing import RandomMixing


class ProjectedDiscriminator(Discriminator):
    """Small heads on the randomly mixed features of a frozen network, of a few frames at once.

    Heads: `scale_4`, `scale_8`, `scale_16`, `scale_32`, logits of patches `[B, n]`. The input of each is frames
    `[B·k, 3, H, W]`. R1's double backward works; it runs the backbone once per head, as each has penalty points of
    its own.
    """

    source = "Projected GAN (NeurIPS 2021) §3; StyleGAN-V (CVPR 2022) §3.2"

    class Config(Discriminator.Config):
        frames: Annotated[int, Field(ge=1, le=128)] = Field(3, description="k: frames of a clip that it sees")
        max_frames: Annotated[int, Field(ge=2, le=2**20)] = Field(
            1024,
            description="number of distances, from 0 on, with a learned embedding of their own; in a recipe: the time "
            "sampler's, if it has one",
        )
        backbone: str = Field(
            LITE0, max_length=200, description="the frozen network: efficientnet_lite0, or one of timm"
        )
        weights: PathText | None = Field(
            None, description="weights of the backbone: a file; default: as fetched; random: drawn by `seed`, for tests"
        )
        sha256: str | None = Field(
            None,
            pattern=r"^[0-9a-f]{64}$",
            description="required sha256 of the weights' file; in a saved model: that of the one it was trained with",
        )
        size: Annotated[int, Field(ge=32, le=2048, multiple_of=32)] = Field(
            224, description="side that frames are resized to for the backbone"
        )
        seed: Seed = Field(0, description="seed of the random mixing (and of random weights)")
        merge: Literal["concat", "mean"] = Field(
            "concat", description="how the frames' features become a clip's; mean: the heads do not depend on k"
        )
        channel_base: Count = Field(3584, description="channels(r) = min(channel_base // r, channel_max) of maps r×r")
        mbstd_group: Count = Field(1, description="group size of the minibatch standard deviation; 1: there is none")
        mapping_layers: Layers = Field(2, description="layers of the mapping network of distances and label")
        time_embedding_dim: Count = Field(256, description="width of the learned embedding of one distance")
        condition_dim: Count = Field(64, description="width of the condition that logits are projected onto")

    joins = True
    test_settings: ClassVar[dict[str, Any]] = {"weights": RANDOM, "size": 32, "condition_dim": 8}

    def __init__(self, config: Config):
        found = backbone(config.backbone, config.weights, config.sha256, config.seed)
        super().__init__(config.model_copy(update={"sha256": found.sha256}))
        self.size, self.merge = config.size, config.merge
        self.half = getattr(torch, config.half_dtype) if config.half_blocks else None
        self.backbone = found

        def channels(side: int) -> int:
            return max(1, min(config.channel_base // side, config.channel_max))

        sides = [config.size // stride for stride in STRIDES]
        out = [channels(2 * side) for side in sides]
        self.mixing = RandomMixing(found.widths, [channels(side) for side in sides], out, config.seed)
        self.time_embedding = TimeEmbedding(config.max_frames, config.time_embedding_dim) if config.frames > 1 else None
        condition = config.label_dim
        condition += 0 if self.time_embedding is None else (config.frames - 1) * self.time_embedding.width
        cmap_dim = config.condition_dim if condition else 0
        self.mapping = (
            MappingNetwork(0, condition, cmap_dim, layers=config.mapping_layers, average=False) if cmap_dim else None
        )
        merged = config.frames if config.merge == "concat" else 1
        self.judges = nn.ModuleDict(
            {
                f"scale_{stride}": ScaleHead(
                    merged * width, 2 * side, channels, cmap_dim=cmap_dim, mbstd_group=config.mbstd_group
                )
                for stride, side, width in zip(STRIDES, sides, out, strict=True)
            }
        )

    def inputs(self, frames: Tensor, t: Tensor) -> Tensors:
        return dict.fromkeys(self.judges, frames.flatten(0, 1))

    def heads(self, inputs: Tensors, t: Tensor, label: Tensor) -> Tensors:
        cmap = None if self.mapping is None else self.mapping(None, self.condition(t, label))
        logits: Tensors = {}
        seen, features = None, {}
        for head, x in inputs.items():
            if x is not seen:  # all heads look at the same frames, unless a penalty gives each its own
                seen, features = x, self.features(x)
            logits[head] = self.judges[head](features[head], cmap)
        return logits

    def features(self, frames: Tensor) -> Tensors:
        """Frames `[B·k, 3, H, W]` → each head's features of clips `[B, C, S, S]`, mixed and merged."""
        x = F.interpolate(frames, size=(self.size, self.size), mode="bilinear", align_corners=False)
        with torch.autocast(x.device.type, self.half, enabled=self.half is not None):
            maps = self.mixing(self.backbone(x if self.half is None else to_precision(x, self.half)))
        return {head: self._merged(to_precision(x, frames.dtype)) for head, x in zip(self.judges, maps, strict=True)}

    def condition(self, t: Tensor, label: Tensor) -> Tensor:
        """[label ‖ embedded distances], `[B, …]`; t `[B, k]`."""
        if self.time_embedding is None:
            return label
        return torch.cat([label, self.time_embedding(t.diff(dim=1)).flatten(1).to(label.dtype)], dim=1)

    def _merged(self, x: Tensor) -> Tensor:
        """`[B·k, C, S, S]` → `[B, k·C, S, S]`, frame by frame, or their mean."""
        clips = x.unflatten(0, (-1, self.frames))
        return clips.flatten(1, 2) if self.merge == "concat" else clips.mean(dim=1)
