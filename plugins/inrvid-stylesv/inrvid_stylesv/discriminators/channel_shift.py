"""StyleSV's discriminator (ICLR 2023): frames exchange a part of their channels to see motion.

Above `merge_resolution` blocks run on each frame, but before the first convolution of a block an eighth of the channels
comes from the next frame and another from the one before (zeros beyond the clip's ends; the block's skip path sees the
frame's own channels). At `merge_resolution` the features of a clip's frames are averaged, and the rest runs once per
clip. No parameter depends on the number of frames: a discriminator of three frames can continue with five.

The distances between consecutive frames are embedded as in StyleGAN-V, and the embeddings averaged, so that this too is
one vector whatever the number of frames; with the label it is mapped to a vector that conditions the logit by
projection, and, with `modulated`, each block's first convolution. The average ignores the order of the distances.
"""

from __future__ import annotations

from typing import Annotated

import torch
from pydantic import Field, model_validator
from torch import Tensor, nn
from typing_extensions import Self

from inrvid.plugins import (
    Count,
    Discriminator,
    Epilogue,
    Layers,
    MappingNetwork,
    PowerOfTwo,
    ResidualBlock,
    Tensors,
    TimeEmbedding,
    channels_of,
    from_rgb,
    half_dtypes,
    needs_clamp,
    run_blocks,
)

PART = 8
"""One in this many channels comes from the next frame, and as many from the one before."""


class ChannelShiftDiscriminator(Discriminator):
    """One discriminator of any number of frames, which share channels with their neighbours and are averaged.

    Head: `video` `[B]`. Its input is frames `[B·k, 3, H, W]`.
    """

    source = "StyleSV (ICLR 2023)"

    class Config(Discriminator.Config):
        frames: Annotated[int, Field(ge=1, le=128)] = Field(
            3, description="k: frames of a clip that it sees; may change as training goes on"
        )
        max_frames: Annotated[int, Field(ge=2, le=2**20)] = Field(
            1024,
            description="number of distances, from 0 on, with a learned embedding of their own; in a recipe: the time "
            "sampler's, if it has one",
        )
        merge_resolution: PowerOfTwo = Field(16, description="where the frames' features are averaged")
        modulated: bool = Field(False, description="modulate each block by the time distances and the label")
        projection: bool = Field(True, description="condition the logit on the distances and the label, by projection")
        mapping_layers: Layers = Field(2, description="layers of the mapping network of distances and label")
        time_embedding_dim: Count = Field(256, description="width of the learned embedding of one distance")

        @model_validator(mode="after")
        def _frames_are_seen_apart_first(self) -> Self:
            if self.resolution <= self.merge_resolution:
                raise ValueError(
                    f"resolution {self.resolution} must be larger than merge_resolution {self.merge_resolution}: "
                    f"set merge_resolution to {self.resolution // 2} or less"
                )
            return self

    joins = True

    def __init__(self, config: Config):
        super().__init__(config)
        resolutions = [2**i for i in range(config.resolution.bit_length() - 1, 1, -1)]
        channels = channels_of(config, resolutions)
        self.merge_resolution, self.projection = config.merge_resolution, config.projection
        conditioned = config.projection or config.modulated
        self.time_embedding = TimeEmbedding(config.max_frames, config.time_embedding_dim) if conditioned else None
        self.mapping = None
        if self.time_embedding is not None:
            width = config.label_dim + self.time_embedding.width
            self.mapping = MappingNetwork(0, width, channels[4], layers=config.mapping_layers, average=False)
        half = needs_clamp(config.half_blocks, config.half_dtype)
        self.dtypes = half_dtypes(resolutions, config.half_blocks, config.half_dtype)
        self.rgb = from_rgb(3, channels[config.resolution], half=half)
        style_dim = channels[4] if config.modulated else 0
        self.blocks = nn.ModuleDict()
        for r in resolutions[:-1]:
            shared = config.frames if r > config.merge_resolution else 1
            self.blocks[str(r)] = ShiftBlock(shared, channels[r], channels[r // 2], style_dim=style_dim, half=half)
        cmap_dim = channels[4] if config.projection else 0
        self.epilogue = Epilogue(channels[4], channels[4], cmap_dim=cmap_dim, mbstd_group=config.mbstd_group, half=half)

    def inputs(self, frames: Tensor, t: Tensor) -> Tensors:
        return {"video": frames.flatten(0, 1)}

    def heads(self, inputs: Tensors, t: Tensor, label: Tensor) -> Tensors:
        cmap = None if self.mapping is None else self.mapping(None, self.condition(t, label))
        x = run_blocks(self.rgb, self.blocks, self.dtypes, inputs["video"], style=cmap, before=self._merged)
        return {"video": self.epilogue(self._merged(4, x), cmap if self.projection else None)}

    def condition(self, t: Tensor, label: Tensor) -> Tensor:
        """[label ‖ mean of the embedded distances], `[B, …]`; t `[B, k]`. A single frame has distance 0."""
        assert self.time_embedding is not None
        distances = t.diff(dim=1) if t.shape[1] > 1 else torch.zeros_like(t)
        return torch.cat([label, self.time_embedding(distances).mean(dim=1).to(label.dtype)], dim=1)

    def _merged(self, resolution: int, x: Tensor) -> Tensor:
        """At `merge_resolution` `[B·k, C, H, W]` → `[B, C, H, W]`; else x."""
        if resolution != self.merge_resolution:
            return x
        return x.unflatten(0, (-1, self.frames)).mean(dim=1).contiguous(memory_format=torch.channels_last)


class ShiftBlock(ResidualBlock):
    """A residual block on clips of `frames` consecutive frames; with one frame, an ordinary block."""

    def __init__(self, frames: int, in_channels: int, out_channels: int, *, style_dim: int, half: bool):
        super().__init__(in_channels, in_channels, out_channels, style_dim=style_dim, half=half)
        self.frames = frames

    def branch(self, x: Tensor, style: Tensor | None) -> Tensor:
        return super().branch(x if self.frames == 1 else shifted(x, self.frames), style)


def shifted(x: Tensor, frames: int) -> Tensor:
    """`[B·frames, C, H, W]`: channels [0, C/8) of the next frame, [C/8, C/4) of the one before, zeros at the ends."""
    part = x.shape[1] // PART
    clips = x.unflatten(0, (-1, frames))
    none = torch.zeros_like(clips[:, :1, :part])
    after = torch.cat([clips[:, 1:, :part], none], dim=1)
    before = torch.cat([none, clips[:, :-1, part : 2 * part]], dim=1)
    x = torch.cat([after, before, clips[:, :, 2 * part :]], dim=2).flatten(0, 1)
    return x.contiguous(memory_format=torch.channels_last)
