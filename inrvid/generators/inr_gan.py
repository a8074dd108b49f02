"""The coordinate network of INR-GAN (CVPR 2021), as used for videos by DIGAN (ICLR 2022).

Blocks at nominal resolutions 4, 8, … R hold pointwise layers modulated by FMM; those up to `input_resolution`
share one grid, each later one doubles its features by nearest neighbour and takes in a coordinate embedding.
Every block adds to the RGB sum (skip architecture).

How φ is evaluated. Features are `[B, T, H, W, C]`. Three identities, exact up to rounding, save most of the work:
- the matrices depend on the video alone, and are made once (`modulate`);
- a pointwise layer commutes with nearest-neighbour doubling: it runs before it, on a quarter of the points;
- the embedding's contribution to a layer is a sum of waves, which `kernels.inr_layer` evaluates without storing the
  embedding.
Every layer is pointwise: where no gradient is recorded, videos, frames and bands of rows are evaluated in pieces
that the device handles well, and memory does not grow with the video or its size. (Exceptions are in `pieces`.)
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Mapping
from typing import Annotated, cast

import torch
import torch.nn.functional as F
from einops import rearrange
from pydantic import Field, Strict, model_validator
from torch import Tensor, nn
from typing_extensions import Self

from ..config import Count, PartConfig, PowerOfTwo
from ..coords.base import CoordinateEncoding
from ..grid import Grid
from ..kernels.bias_act import SLOPE
from ..kernels.inr_layer import Phase, doubled, inr_layer
from ..kernels.pointwise import for_inference, pointwise
from ..layers.fmm import FMMLinear
from ..layers.half import block_dtype, enter, half_dtypes, outside, to_precision
from ..layers.rgb import ToRGB, add_rgb
from ..layers.widths import channels_of, some_are_left
from ..motion.base import Motion, MotionState, code_of
from ..registry import PartOf, registry
from .base import VideoGenerator
from .blocks import below, count_ws, modulate_blocks
from .pieces import Piece, assemble, bands_of, pieces_of


class InrGan(VideoGenerator):
    """Coordinate network with factorised multiplicative modulation, skip architecture.

        W'  = normalise(W ⊙ (1 + L·R/√q))
        h   ← lrelu(W'·[h ‖ e] + b),   e = [sin ‖ cos](p(x, y) + m(t))
        RGB ← double(RGB) + W_rgb·(s ⊙ h)/√n + b_rgb

    L `[out, q]`, R `[q, in]` and s `[n]` are affine in the style w. Each layer is pointwise; where a block takes
    coordinates in, e is the embedding of their encoding p and the motion m. From one resolution to the next, h and RGB
    are doubled by nearest neighbour.
    """

    source = "INR-GAN (CVPR 2021); DIGAN (ICLR 2022)"

    class Config(VideoGenerator.Config):
        coords: Annotated[PartConfig, PartOf("coords")] = Field(
            {"type": "fourier"},
            validate_default=True,
            description="coordinate encoding",
        )
        channel_base: Count = Field(32768, description="channels(r) = min(channel_base // r, channel_max)")
        channel_max: Count = Field(512, description="largest number of channels")
        input_resolution: PowerOfTwo = Field(32, description="blocks up to this resolution share one grid of this side")
        coord_dim: Count = Field(128, description="d: number of phases; a coordinate embedding is 2d wide")
        fmm_rank: Count = Field(10, description="rank of the factorised modulation")
        extra_layers: dict[Annotated[int, Strict(False)], Annotated[int, Field(ge=0, le=100)]] = Field(
            {128: 1, 256: 1}, description="resolution → number of layers added to its block"
        )

        _channels = model_validator(mode="after")(some_are_left)

        @model_validator(mode="after")
        def _grid_fits(self) -> Self:
            if self.input_resolution > self.resolution:
                raise ValueError(f"input_resolution {self.input_resolution} exceeds resolution {self.resolution}")
            return self

    def __init__(self, config: Config):
        super().__init__(config)
        self.input_resolution = config.input_resolution
        resolutions = [2**i for i in range(2, config.resolution.bit_length())]
        channels = channels_of(config, resolutions)
        self.dtypes = half_dtypes(resolutions, config.half_blocks, config.half_dtype)
        self.blocks = nn.ModuleDict(
            {str(r): InrBlock(config, self.motion, r, channels.get(r // 2, 0), channels[r]) for r in resolutions}
        )

    @property
    def num_ws(self) -> int:
        return count_ws(self._blocks())

    @property
    def side_multiple(self) -> int:
        return self.resolution // self.input_resolution

    def check_grid(self, grid: Grid) -> None:
        grid.coarser(self.side_multiple)

    def modulate(self, ws: Tensor) -> dict[str, Tensor]:
        return modulate_blocks(self._blocks(), ws)

    def render(self, phi: Mapping[str, Tensor], state: MotionState, t: Tensor, grid: Grid) -> Tensor:
        blocks = [
            block.prepared(below(name, phi), state, self.dtypes[int(name)]) for name, block in self._blocks().items()
        ]
        frames = t.shape[1] if any(block.is_moving for block in blocks) else 1
        coarsest = grid.coarser(self.side_multiple)

        def draw(piece: Piece) -> Tensor:
            return self._draw([block.of(piece) for block in blocks], coarsest)

        videos = t.shape[0]
        pieces = pieces_of(videos, frames, grid.height * grid.width, t.device)
        rgb = rearrange(assemble(draw, pieces, (videos, frames)), "b t h w c -> b t c h w")
        return rgb.expand(-1, t.shape[1], -1, -1, -1).contiguous()

    def _draw(
        self, blocks: list[PreparedBlock], coarsest: Grid, x: Tensor | None = None, rgb: Tensor | None = None
    ) -> Tensor:
        """RGB `[B, T, H, W, 3]` of what the blocks are prepared for; `coarsest` is the grid of the model's first block.

        x and rgb, `[B, T, h, w, …]`, are the results of the blocks before. From the resolution on at which there are
        more points than the device should handle at a time, bands of rows go one by one through the remaining blocks.
        """
        block, *rest = blocks
        samples = 1 if x is None else x.shape[0] * x.shape[1]
        points = samples * coarsest.height * coarsest.width * block.scale**2
        bands = bands_of(coarsest.height, points, block.device)
        if len(bands) > 1:
            parts = [
                self._draw(blocks, coarsest.band(*band), *(_rows(value, band, coarsest.height) for value in (x, rgb)))
                for band in bands
            ]
            return torch.cat(parts, dim=2)
        x = block.features(x, coarsest)
        rgb = block.rgb(x, rgb)
        return self._draw(rest, coarsest, x, rgb) if rest else rgb

    def _blocks(self) -> dict[str, InrBlock]:
        return cast(dict[str, InrBlock], dict(self.blocks.items()))


def _rows(x: Tensor | None, band: tuple[int, int], height: int) -> Tensor | None:
    """A band (first, count) of x `[B, T, h, w, C]`, counted in rows of a grid of `height`."""
    scale = 1 if x is None else x.shape[2] // height
    return None if x is None else x.narrow(2, band[0] * scale, band[1] * scale)


class InrBlock(nn.Module):
    """The layers of one resolution. A block's φ: `layers.<i>`, `rgb`, and, for coordinates, `coords.*` and `w`."""

    def __init__(self, config: InrGan.Config, motion: Motion, resolution: int, in_channels: int, channels: int):
        super().__init__()
        has_coords = resolution == 4 or resolution > config.input_resolution
        self.embedding = (
            MovingEmbedding(config.coords, motion, config, max(resolution, config.input_resolution))
            if has_coords
            else None
        )
        self.scale = max(resolution // config.input_resolution, 1)
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
        phi = {f"layers.{i}": for_inference(layer.modulated(ws[:, i])) for i, layer in enumerate(self._pointwise)}
        phi["rgb"] = self.rgb.modulated(ws[:, -1])
        if self.embedding is not None:
            phi["w"] = ws[:, 0]
            phi.update({f"coords.{k}": v for k, v in self.embedding.coords.predict(ws[:, 0]).items()})
        return phi

    def prepared(self, phi: dict[str, Tensor], state: MotionState, dtype: torch.dtype | None) -> PreparedBlock:
        """Everything that one call needs and that is the same for all its points."""
        dtype = block_dtype(dtype, self.rgb.weight)
        weights = [enter(phi[f"layers.{i}"], dtype) for i in range(len(self.layers))]
        embedding = None
        if self.embedding is not None:
            weights[0], of_waves = weights[0].tensor_split([-2 * self.embedding.coords.dim], dim=1)
            embedding = self.embedding.prepared(of_waves, phi, state)
        return PreparedBlock(
            # Once more, for parts of matrices and φ made with gradients; without effect where `modulate` did it.
            weights=[for_inference(weight) for weight in weights],
            biases=[enter(layer.scaled_bias, dtype) for layer in self._pointwise],
            to_rgb=(phi["rgb"], self.rgb.bias),
            scale=self.scale,
            embedding=embedding,
        )


class MovingEmbedding(nn.Module):
    """[sin ‖ cos](p(x, y) + m(t)): coordinates and motion of the layer that takes them in."""

    coords: CoordinateEncoding

    def __init__(self, coords: PartConfig, motion: Motion, config: InrGan.Config, size: int):
        super().__init__()
        self.coords = registry("coords").build(coords, dim=config.coord_dim, w_dim=config.w_dim, size=size)
        self.motion = motion.head(config.coord_dim, config.w_dim)

    def prepared(self, weight: Tensor, phi: dict[str, Tensor], state: MotionState) -> PreparedEmbedding:
        """Prepare the embedding for the matrix `[B, 2d, out]` that its sines and cosines are multiplied by."""
        return PreparedEmbedding(weight, self.coords, below("coords", phi), code_of(self.motion, state, phi["w"]))


@dataclasses.dataclass(frozen=True)
class PreparedEmbedding:
    """The moving embedding of some videos at some times, and the matrix of the layer that takes it in.

    Attributes:
        weight: `[B, 2d, out]`, the first layer's rows for sines and cosines, in the block's precision.
        coords, predicted: the coordinate encoding, and its part of φ.
        motion: m(t) `[B, T, d]`; `[B, 1, 0]` without motion.
    """

    weight: Tensor
    coords: CoordinateEncoding
    predicted: dict[str, Tensor]
    motion: Tensor

    def of(self, piece: Piece) -> PreparedEmbedding:
        """Only the piece's videos and frames."""
        return PreparedEmbedding(
            self.weight[piece.videos],
            self.coords,
            {name: value[piece.videos] for name, value in self.predicted.items()},
            self.motion[piece.videos, piece.frames],
        )

    def layer(self, coarse: Tensor | None, bias: Tensor, grid: Grid) -> Tensor:
        """lrelu(doubled(coarse) + embedding · weight + bias) `[B, T, h, w, out]`, on `grid`.

        Args:
            coarse: `[B, T, h/2, w/2, out]`, the layer applied to the previous block's features; None in the first.
        """
        affine = self.coords.affine_phase(self.predicted, grid) if self.coords.has_affine_phase else None
        if affine is None:
            return self._layer_of_any_phase(coarse, bias, grid)
        origin, down, right = (value.expand(self.weight.shape[0], -1) for value in affine)
        origin = origin[:, None] + self.motion if self.motion.shape[2] else origin[:, None]
        phase = Phase(*(outside(value, bias.dtype) for value in (origin, down, right)))
        return inr_layer(coarse, phase, self.weight, bias, grid.height, grid.width, slope=SLOPE)

    def _layer_of_any_phase(self, coarse: Tensor | None, bias: Tensor, grid: Grid) -> Tensor:
        phase = self.coords.phase(self.predicted, grid)[:, None]
        phase = phase + self.motion[:, :, None, None] if self.motion.shape[2] else phase
        phase = phase.expand(self.weight.shape[0], -1, -1, -1, -1)
        waves = enter(torch.cat([phase.sin(), phase.cos()], dim=-1), self.weight.dtype)
        x = pointwise(waves.flatten(1, 3), self.weight, bias).view(*phase.shape[:4], -1)
        return F.leaky_relu(x if coarse is None else x + doubled(coarse), SLOPE)


@dataclasses.dataclass(frozen=True)
class PreparedBlock:
    """A block prepared for some videos at some times.

    Attributes:
        weights, biases: `[B, in, out]` each, for features only, and `[out]`; in the block's precision.
        to_rgb: (weight `[B, C, 3]`, bias `[3]`).
        scale: sides of the block's grid, relative to the coarsest grid's.
        embedding: of coordinates and motion, if the block's first layer takes them in.
    """

    weights: list[Tensor]
    biases: list[Tensor]
    to_rgb: tuple[Tensor, Tensor]
    scale: int
    embedding: PreparedEmbedding | None

    @property
    def dtype(self) -> torch.dtype:
        """The precision that the block's layers run in."""
        return self.biases[0].dtype

    @property
    def device(self) -> torch.device:
        return self.biases[0].device

    @property
    def is_moving(self) -> bool:
        """Whether its features depend on time."""
        return self.embedding is not None and self.embedding.motion.shape[2] > 0

    def of(self, piece: Piece) -> PreparedBlock:
        """Only the piece's videos and frames."""
        rgb_weight, rgb_bias = self.to_rgb
        return dataclasses.replace(
            self,
            weights=[weight[piece.videos] for weight in self.weights],
            to_rgb=(rgb_weight[piece.videos], rgb_bias),
            embedding=None if self.embedding is None else self.embedding.of(piece),
        )

    def features(self, x: Tensor | None, coarsest: Grid) -> Tensor:
        """Features `[B, T, h, w, C]` of the block before (None in the first) → this block's, on its grid."""
        x = None if x is None else to_precision(x, self.dtype)
        weights, biases = self.weights, self.biases
        if self.embedding is not None:
            coarse = None if x is None else pointwise(x.flatten(1, 3), weights[0]).view(*x.shape[:4], -1)
            x = self.embedding.layer(coarse, biases[0], coarsest.finer(self.scale))
            weights, biases = weights[1:], biases[1:]
        assert x is not None  # the first block takes coordinates in
        rows = x.flatten(1, 3)
        for weight, bias in zip(weights, biases, strict=True):
            rows = pointwise(rows, weight, bias, slope=SLOPE)
        return rows.view(*x.shape[:4], -1)

    def rgb(self, x: Tensor, rgb: Tensor | None) -> Tensor:
        """The sum of pictures `[B, T, H, W, 3]`, in the parameters' precision."""
        return add_rgb(x, *self.to_rgb, rgb)
