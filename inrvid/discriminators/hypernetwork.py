"""StyleGAN-V's discriminator (CVPR 2022, §3.2): a few frames at once, told how far apart in time they are.

Blocks above `concat_resolution` run on each frame alone; at that resolution, the features of a clip's frames are
concatenated in time order, and the rest runs once per clip. The distances between consecutive frames (and the label)
are embedded and mapped to a vector that conditions the logit by projection, and, with `modulated`, each block's first
convolution.
"""

from __future__ import annotations

import math
from typing import Annotated

import torch
from pydantic import Field, model_validator
from torch import Tensor, nn
from typing_extensions import Self

from ..config import MOST, Count, Layers, PowerOfTwo
from ..layers.half import half_dtypes, needs_clamp
from ..layers.mapping import MappingNetwork
from ..layers.residual import Epilogue, ResidualBlock, from_rgb, run_blocks
from ..layers.tables import Tables
from ..layers.widths import channels_of, some_are_left
from .base import Discriminator, Tensors


class HypernetworkDiscriminator(Discriminator):
    """One discriminator of a few frames at once, conditioned on the time distances between them.

        e(d) = [row d of a table ‖ sin(f·d) ‖ cos(f·d)],   f_j = π·2^j/2^octaves
        c    = M([label ‖ e(t_2 − t_1) ‖ … ‖ e(t_k − t_{k−1})])
        D(x, t) = h(x)·c / √n

    The table and the network M are learned; h are the features of all k frames, and n is the width of c.

    Head: `video` `[B]`. Its input is frames `[B·k, 3, H, W]`.
    """

    source = "StyleGAN-V (CVPR 2022) §3.2"

    class Config(Discriminator.Config):
        frames: Annotated[int, Field(ge=1, le=16)] = Field(3, description="k: frames of a clip that it sees")
        max_frames: Annotated[int, Field(ge=2, le=MOST)] = Field(
            1024,
            description="number of distances, from 0 on, with a learned embedding of their own; in a recipe: the time "
            "sampler's, if it has one",
        )
        concat_resolution: PowerOfTwo = Field(16, description="where the frames' features are concatenated")
        frame_channel_divisor: Count = Field(2, description="divisor of one frame's channels at concat_resolution")
        modulated: bool = Field(
            False, description="modulate each block by the time distances (paper; the release does not)"
        )
        projection: bool = Field(True, description="condition the logit on the distances and the label, by projection")
        mapping_layers: Layers = Field(2, description="layers of the mapping network of distances and label")
        time_embedding_dim: Count = Field(256, description="width of the learned embedding of one distance")

        @model_validator(mode="after")
        def _frames_are_seen_alone_first(self) -> Self:
            if self.resolution <= self.concat_resolution:
                raise ValueError(
                    f"resolution {self.resolution} must be larger than concat_resolution {self.concat_resolution}: "
                    f"set concat_resolution to {self.resolution // 2} or less"
                )
            return self

        _channels = model_validator(mode="after")(some_are_left)

        @model_validator(mode="after")
        def _a_frame_has_channels(self) -> Self:
            there = min(self.channel_base // self.concat_resolution, self.channel_max)
            if self.frame_channel_divisor > there:
                raise ValueError(
                    f"frame_channel_divisor {self.frame_channel_divisor} leaves no channel of a frame at "
                    f"concat_resolution {self.concat_resolution}, which has {there}: make it {there} or less"
                )
            return self

    joins = True

    def __init__(self, config: Config):
        super().__init__(config)
        resolutions = [2**i for i in range(config.resolution.bit_length() - 1, 1, -1)]
        channels = channels_of(config, resolutions)
        self.concat_resolution = config.concat_resolution
        self.time_embedding = TimeEmbedding(config.max_frames, config.time_embedding_dim)
        condition = config.label_dim + (config.frames - 1) * self.time_embedding.width
        cmap_dim = channels[4] if condition and (config.projection or config.modulated) else 0
        self.mapping = (
            MappingNetwork(0, condition, cmap_dim, layers=config.mapping_layers, average=False) if cmap_dim else None
        )
        half = needs_clamp(config.half_blocks, config.half_dtype)
        self.dtypes = half_dtypes(resolutions, config.half_blocks, config.half_dtype)
        self.rgb = from_rgb(3, channels[config.resolution], half=half)
        self.blocks = nn.ModuleDict()
        width, style_dim = channels[config.resolution], cmap_dim if config.modulated else 0
        for r in resolutions[:-1]:
            width *= config.frames if r == config.concat_resolution else 1
            out = channels[r // 2] // (config.frame_channel_divisor if r // 2 == config.concat_resolution else 1)
            self.blocks[str(r)] = ResidualBlock(width, channels[r], out, style_dim=style_dim, half=half)
            width = out
        width *= config.frames if config.concat_resolution == 4 else 1
        self.projection = config.projection and cmap_dim > 0
        self.epilogue = Epilogue(
            width, channels[4], cmap_dim=cmap_dim * self.projection, mbstd_group=config.mbstd_group, half=half
        )

    def inputs(self, frames: Tensor, t: Tensor) -> Tensors:
        return {"video": frames.flatten(0, 1)}

    def heads(self, inputs: Tensors, t: Tensor, label: Tensor) -> Tensors:
        cmap = None if self.mapping is None else self.mapping(None, self.condition(t, label))
        x = run_blocks(self.rgb, self.blocks, self.dtypes, inputs["video"], style=cmap, before=self._concatenated)
        x = self._concatenated(4, x)
        return {"video": self.epilogue(x, cmap if self.projection else None)}

    def condition(self, t: Tensor, label: Tensor) -> Tensor:
        """[label ‖ embedded distances], `[B, …]`; t `[B, k]`."""
        return torch.cat([label, self.time_embedding(t.diff(dim=1)).flatten(1).to(label.dtype)], dim=1)

    def _concatenated(self, resolution: int, x: Tensor) -> Tensor:
        """At `concat_resolution`, `[B·k, C, H, W]` → `[B, k·C, H, W]`, frame after frame; elsewhere, x itself."""
        if resolution != self.concat_resolution:
            return x
        x = x.unflatten(0, (-1, self.frames)).flatten(1, 2)
        return x.contiguous(memory_format=torch.channels_last)


class TimeEmbedding(Tables):
    """Distances `[B, n]`, in frames → `[B, n, width]`: [a learned row ‖ sin(f·d) ‖ cos(f·d)], f_j = π·2^j/2^octaves."""

    frequencies: Tensor

    def __init__(self, max_frames: int, dim: int):
        super().__init__()
        self.octaves = math.ceil(math.log2(max_frames))
        self.table = nn.Parameter(torch.randn(max_frames, dim))
        self.width = dim + 2 * self.octaves
        self.make_tables(self.table.device)

    def tables(self) -> dict[str, Tensor]:
        return {"frequencies": math.pi * 2.0 ** (torch.arange(self.octaves, device="cpu") - self.octaves)}

    def forward(self, distance: Tensor) -> Tensor:
        row = distance.round().long().clamp(0, len(self.table) - 1)
        phase = distance[..., None] * self.frequencies
        return torch.cat([self.table[row], phase.sin(), phase.cos()], dim=-1)
