"""The coordinate network of INR-GAN (CVPR 2021), as DIGAN (ICLR 2022) makes videos with it.

Blocks at nominal resolutions 4, 8, … R hold pointwise layers modulated by FMM; those up to `input_resolution`
share one grid, each later one doubles its features by nearest neighbour and takes a coordinate embedding in.
Every block adds to the RGB sum (skip architecture).

How φ is evaluated. Features are `[B, H, W, T, C]`: a pointwise layer is one matrix product a video, whatever the
number of frames. Three identities save most of the work, none of them approximate:
- the matrices depend on the video alone, and are made once (`modulate`);
- time only rotates the embedding (see coords.base), and a rotation of the embedding is a rotation of the matrix
  that consumes it: sines are evaluated once a video, not once a frame;
- a pointwise layer commutes with nearest-neighbour doubling: it runs before, on a quarter of the points.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from typing import Any, cast

import torch
from einops import rearrange
from torch import Tensor, nn

from ..config import PartConfig
from ..grid import Grid
from ..layers.activation import lrelu_
from ..layers.fmm import FMMLinear
from ..layers.half import enter, half_dtypes, switch
from ..layers.linear import EqLinear
from ..motion.base import Motion
from ..registry import registry
from .base import VideoGenerator
from .blocks import below, count_ws, modulate_blocks
from .configs import InrGanConfig


class InrGan(VideoGenerator):
    Config = InrGanConfig

    def __init__(self, config: InrGanConfig):
        super().__init__(config)
        self.input_resolution = config.input_resolution
        resolutions = [2**i for i in range(2, config.resolution.bit_length())]
        channels = {r: min(config.channel_base // r, config.channel_max) for r in resolutions}
        self.dtypes = half_dtypes(resolutions, config.half_blocks, config.half_dtype)
        self.blocks = nn.ModuleDict(
            {str(r): InrBlock(config, self.motion, r, channels.get(r // 2, 0), channels[r]) for r in resolutions}
        )

    @property
    def num_ws(self) -> int:
        return count_ws(self._blocks())

    def modulate(self, ws: Tensor) -> dict[str, Tensor]:
        return modulate_blocks(self._blocks(), ws)

    def render(self, phi: Mapping[str, Tensor], state: Any, t: Tensor, grid: Grid) -> Tensor:
        x: Tensor | None = None
        rgb: Tensor | None = None
        for name, block in self._blocks().items():
            own = below(name, phi)
            side = max(int(name), self.input_resolution)
            x = block(own, x, state, grid.coarser(self.resolution // side), self.dtypes[int(name)])
            rgb = add_upsampled(block.to_rgb(own, x), rgb)
        assert rgb is not None
        return rearrange(rgb, "b h w t c -> b t c h w").expand(-1, t.shape[1], -1, -1, -1).contiguous()

    def _blocks(self) -> dict[str, InrBlock]:
        return cast(dict[str, InrBlock], dict(self.blocks.items()))


class InrBlock(nn.Module):
    """The layers of one resolution. φ of a block: `layers.<i>`, `rgb`, and of the coordinates `coords.*`, `w`."""

    def __init__(self, config: InrGanConfig, motion: Motion, resolution: int, in_channels: int, channels: int):
        super().__init__()
        has_coords = resolution == 4 or resolution > config.input_resolution
        self.embedding = (
            MovingEmbedding(config.coords, motion, config, max(resolution, config.input_resolution))
            if has_coords
            else None
        )
        self.in_channels = in_channels
        count = (1 if resolution == 4 else 2) + config.extra_layers.get(resolution, 0)
        widths = [in_channels + (2 * config.coord_dim if has_coords else 0), *[channels] * count]
        self.layers = nn.ModuleList(
            FMMLinear(a, b, config.w_dim, rank=config.fmm_rank) for a, b in itertools.pairwise(widths)
        )
        self.rgb = ToRGB(channels, config.w_dim)

    @property
    def _pointwise(self) -> list[FMMLinear]:
        return cast(list[FMMLinear], list(self.layers))

    def modulate(self, ws: Tensor) -> dict[str, Tensor]:
        phi = {f"layers.{i}": layer.modulated(ws[:, i]) for i, layer in enumerate(self._pointwise)}
        phi["rgb"] = self.rgb.modulated(ws[:, -1])
        if self.embedding is not None:
            phi["w"] = ws[:, 0]
            phi.update({f"coords.{k}": v for k, v in self.embedding.coords.predict(ws[:, 0]).items()})
        return phi

    def forward(
        self, phi: dict[str, Tensor], x: Tensor | None, state: Any, grid: Grid, dtype: torch.dtype | None
    ) -> Tensor:
        """Features `[B, h, w, T, C]` (of the grid, or of one twice as coarse) → features on the grid, as `dtype`."""
        first, *rest = self._pointwise
        dtype = dtype or first.weight.dtype
        x = None if x is None else switch(x, dtype)
        weight, bias = phi["layers.0"], first.scaled_bias
        if self.embedding is None:
            assert x is not None
            x = pointwise(x, weight, bias)
        else:
            of_features, of_embedding = weight.split([self.in_channels, weight.shape[1] - self.in_channels], dim=1)
            coarse = None if x is None else pointwise(x, of_features)
            x = add_upsampled(self.embedding(phi, of_embedding, bias, state, grid, dtype), coarse)
        x = lrelu_(x)
        for i, layer in enumerate(rest, start=1):
            x = lrelu_(pointwise(x, phi[f"layers.{i}"], layer.scaled_bias))
        return x

    def to_rgb(self, phi: dict[str, Tensor], x: Tensor) -> Tensor:
        """RGB of features, in the parameters' precision: sums of pictures need it."""
        return switch(pointwise(x, phi["rgb"], self.rgb.bias), self.rgb.weight.dtype)


class MovingEmbedding(nn.Module):
    """[sin ‖ cos](p(x, y) + m(t)), applied to the matrix that consumes it."""

    def __init__(self, coords: PartConfig, motion: Motion, config: InrGanConfig, size: int):
        super().__init__()
        self.coords = registry("coords").build(coords, dim=config.coord_dim, w_dim=config.w_dim, size=size)
        self.motion = motion.head(config.coord_dim, config.w_dim)

    def forward(
        self, phi: dict[str, Tensor], weight: Tensor, bias: Tensor, state: Any, grid: Grid, dtype: torch.dtype
    ) -> Tensor:
        """Embedding times `weight` `[B, 2d, out]`, plus `bias` `[out]` → `[B, H, W, T, out]`; T = 1 without motion."""
        predicted = below("coords", phi)
        phase = self.coords.phase(predicted, grid).expand(len(weight), -1, -1, -1).flatten(1, 2)
        embedding = torch.cat([phase.sin(), phase.cos()], dim=2)  # [B, H·W, 2d]
        weight = self._rotated(weight, state, phi["w"])  # [B, T, 2d, out]
        frames = weight.shape[1]
        operands = bias.repeat(frames), embedding, rearrange(weight, "b t d out -> b d (t out)")
        product = torch.baddbmm(*(enter(operand, dtype) for operand in operands))
        return product.unflatten(2, (frames, -1)).unflatten(1, (grid.height, grid.width))

    def _rotated(self, weight: Tensor, state: Any, w: Tensor) -> Tensor:
        motion = self.motion(state, w)[..., None]  # [B, T, d, 1]
        if self.motion.width == 0:
            return weight[:, None]
        of_sin, of_cos = weight[:, None].chunk(2, dim=2)
        sin, cos = motion.sin(), motion.cos()
        return torch.cat([of_sin * cos - of_cos * sin, of_sin * sin + of_cos * cos], dim=2)


class ToRGB(nn.Module):
    """A pointwise layer modulated by scaling its inputs, without demodulation."""

    def __init__(self, in_channels: int, w_dim: int):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(3, in_channels))
        self.bias = nn.Parameter(torch.zeros(3))
        self.affine = EqLinear(w_dim, in_channels, bias_init=1)

    def modulated(self, w: Tensor) -> Tensor:
        """w `[B, w_dim]` → weight `[B, in, 3]`."""
        style = self.affine(w) / math.sqrt(self.weight.shape[1])
        return style[:, :, None] * self.weight.mT


def pointwise(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """x `[B, h, w, T, in]` times weight `[B, in, out]`, plus bias `[out]`."""
    rows, weight = x.flatten(1, 3), enter(weight, x.dtype)
    rows = rows @ weight if bias is None else torch.baddbmm(enter(bias, x.dtype), rows, weight)
    return rows.view(*x.shape[:-1], -1)


def add_upsampled(x: Tensor, coarse: Tensor | None) -> Tensor:
    """x + `coarse` doubled by nearest neighbour until it has x's size; both `[B, H, W, T, C]`."""
    if coarse is None:
        return x
    if coarse.shape[1:3] == x.shape[1:3]:
        return x + coarse
    cells = x.view(x.shape[0], coarse.shape[1], 2, coarse.shape[2], 2, *x.shape[3:])
    return (cells + coarse[:, :, None, :, None]).view(x.shape)
