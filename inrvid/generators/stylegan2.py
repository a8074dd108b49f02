"""StyleGAN2 (CVPR 2020) as used for videos by StyleGAN-V (CVPR 2022): the motion code enters at the input.

The input at 4×4 is a learned constant with the motion code tiled and concatenated (`motion_input: constant`), or the
code is concatenated to w in every layer (`styles`, as in MoCoGAN+SG2). With `constant`, a video's frames share w.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, cast

import torch
from einops import rearrange
from pydantic import Field, model_validator
from torch import Tensor, nn

from ..config import Count, Natural
from ..errors import InrvidError
from ..grid import Grid
from ..kernels.upfirdn import upfirdn
from ..layers.conv import EqConv2d
from ..layers.half import CLAMP, block_dtype, half_dtypes, needs_clamp, to_precision
from ..layers.modulated_conv import ModulatedConv2d
from ..layers.rgb import ToRGB, add_rgb
from ..layers.widths import channels_of, some_are_left
from ..motion.base import MotionState, code_of
from .base import VideoGenerator
from .blocks import below, count_ws, modulate_blocks
from .pieces import splits


class StyleGan2(VideoGenerator):
    """Convolutions modulated by the style; the motion code enters at the constant input, or all styles.

        W'_oi  = s_i·W_oi / √(Σ (s_i·W_oi)²),   s = affine(w)
        x_0(t) = [constant ‖ v(t)] at each of 4×4 places

    The sum goes over the inputs i and the kernel. v(t) is the motion code; with `motion_input: styles` it is
    concatenated to w instead: s = affine([w ‖ v(t)]).
    """

    source = "StyleGAN2 (CVPR 2020); StyleGAN-V (CVPR 2022)"

    class Config(VideoGenerator.Config):
        channel_base: Count = Field(16384, description="channels(r) = min(channel_base // r, channel_max)")
        channel_max: Count = Field(512, description="largest number of channels")
        architecture: Literal["skip", "resnet"] = Field("skip", description="how blocks make the picture")
        motion_width: Natural = Field(512, description="width of the motion code that the backbone takes in")
        motion_input: Literal["constant", "styles"] = Field(
            "constant",
            description="whether the code joins the constant input (StyleGAN-V) or w in every layer (MoCoGAN+SG2)",
        )

        _channels = model_validator(mode="after")(some_are_left)

    def __init__(self, config: Config):
        super().__init__(config)
        self.head = self.motion.head(config.motion_width, config.w_dim)
        self.in_every_layer = config.motion_input == "styles"
        resolutions = [2**i for i in range(2, config.resolution.bit_length())]
        channels = channels_of(config, resolutions)
        self.constant = nn.Parameter(torch.randn(channels[4], 4, 4))
        width = self.head.width
        style_dim = config.w_dim + (width if self.in_every_layer else 0)
        inputs = {r: channels[r // 2] for r in resolutions[1:]} | {
            4: channels[4] + (0 if self.in_every_layer else width)
        }
        self.dtypes = half_dtypes(resolutions, config.half_blocks, config.half_dtype)
        self.blocks = nn.ModuleDict(
            {
                str(r): StyleBlock(
                    inputs[r],
                    channels[r],
                    style_dim,
                    first=r == 4,
                    residual=config.architecture == "resnet",
                    rgb=config.architecture == "skip" or r == config.resolution,
                    half=needs_clamp(config.half_blocks, config.half_dtype),
                )
                for r in resolutions
            }
        )

    @property
    def num_ws(self) -> int:
        return count_ws(self._blocks())

    def modulate(self, ws: Tensor) -> dict[str, Tensor]:
        phi = {"ws": ws}
        return phi if self.in_every_layer else phi | modulate_blocks(self._blocks(), ws)

    def check_grid(self, grid: Grid) -> None:
        if grid != Grid(self.resolution, self.resolution):
            raise InrvidError(
                f"size {grid.height}x{grid.width}: stylegan2 draws only the whole frame, at {self.resolution}x"
                f"{self.resolution}; a generator of coordinates (inr_gan) draws any grid"
            )

    def render(self, phi: Mapping[str, Tensor], state: MotionState, t: Tensor, grid: Grid) -> Tensor:
        self.check_grid(grid)
        ws = phi["ws"]
        motion = code_of(self.head, state, ws[:, 0])  # [B, T, width]
        frames = t.shape[1] if motion.shape[2] else 1
        motion = motion[:, :frames].flatten(0, 1)
        if self.in_every_layer:  # each frame has styles of its own: it is a video of one frame
            of_frames = ws.repeat_interleave(frames, dim=0)
            styles = torch.cat([of_frames, motion[:, None].expand(-1, self.num_ws, -1)], dim=2)
            phi = modulate_blocks(self._blocks(), styles)
        x = self.constant.expand(motion.shape[0], -1, -1, -1)
        if not self.in_every_layer:
            x = torch.cat([x, motion[:, :, None, None].expand(-1, -1, 4, 4)], dim=1)
        x = x.contiguous(memory_format=torch.channels_last)
        into = None if torch.is_grad_enabled() else ws.new_empty(x.shape[0], 3, grid.height, grid.width)
        rgb = self._draw(list(self._blocks().items()), phi, x, None, into)
        rgb = rearrange(rgb, "(b t) c h w -> b t c h w", t=frames)
        return rgb.expand(-1, t.shape[1], -1, -1, -1).contiguous()

    def _draw(
        self,
        blocks: list[tuple[str, StyleBlock]],
        phi: Mapping[str, Tensor],
        x: Tensor,
        rgb: Tensor | None,
        into: Tensor | None,
    ) -> Tensor:
        """Run blocks on features `[B·T, C, h, w]` and pictures `[B·T, 3, h, w]` (or none) → pictures `[B·T, 3, R, R]`.

        The result is written to `into`, if given.

        From the resolution on at which all frames together are more than the device should handle at a time, they
        go through the remaining blocks a part at a time.
        """
        (name, block), *rest = blocks
        videos = next(iter(phi.values())).shape[0]
        parts = splits(videos, x.shape[0] // videos, int(name) ** 2, x.device)
        if len(parts) > 1:
            if videos == 1:
                phi = self._folded(blocks, phi)
            drawn = [
                self._draw(
                    blocks,
                    {key: value[part.videos] for key, value in phi.items()},
                    x[part.samples],
                    *(None if pictures is None else pictures[part.samples] for pictures in (rgb, into)),
                )
                for part in parts
            ]
            return torch.cat(drawn) if into is None else into
        x, rgb = block(below(name, phi), to_precision(x, self._dtype(name)), rgb)
        if rest:
            return self._draw(rest, phi, x, rgb, into)
        assert rgb is not None
        return rgb if into is None else into.copy_(rgb)

    def _folded(self, blocks: list[tuple[str, StyleBlock]], phi: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        """φ of these blocks with modulated weights, made once per video rather than once for each part of it."""
        return {
            f"{name}.{key}": value
            for name, block in blocks
            for key, value in block.folded(below(name, phi), self._dtype(name)).items()
        }

    def _dtype(self, name: str) -> torch.dtype:
        """The precision in which a block runs."""
        return block_dtype(self.dtypes[int(name)], self.constant)

    def _blocks(self) -> dict[str, StyleBlock]:
        return cast(dict[str, StyleBlock], dict(self.blocks.items()))


class StyleBlock(nn.Module):
    """The layers of one resolution; all but the first double the size. φ: `<layer>.style`, `<layer>.scale`, `rgb`."""

    def __init__(
        self, in_channels: int, channels: int, w_dim: int, *, first: bool, residual: bool, rgb: bool, half: bool
    ):
        super().__init__()
        residual = residual and not first
        self.layers = nn.ModuleDict()
        if not first:
            self.layers["conv0"] = ModulatedConv2d(in_channels, channels, 3, w_dim, up=True, half=half)
        self.layers["conv1"] = ModulatedConv2d(
            in_channels if first else channels, channels, 3, w_dim, gain=0.5**0.5 if residual else 1.0, half=half
        )
        self.rgb = ToRGB(channels, w_dim) if rgb else None
        self.clamps = half
        self.skip = EqConv2d(in_channels, channels, 1, bias=False, gain=0.5**0.5) if residual else None

    def modulate(self, ws: Tensor) -> dict[str, Tensor]:
        layers = {name: layer.modulated(ws[:, i]) for i, (name, layer) in enumerate(self._layers().items())}
        phi = {f"{name}.{key}": value for name, own in layers.items() for key, value in own.items()}
        return phi if self.rgb is None else phi | {"rgb": self.rgb.modulated(ws[:, -1])}

    def folded(self, phi: Mapping[str, Tensor], dtype: torch.dtype) -> dict[str, Tensor]:
        """φ with modulated weights in place of styles."""
        folded = {key: value for key, value in phi.items() if key == "rgb"}
        for name, layer in self._layers().items():
            folded |= {f"{name}.{key}": value for key, value in layer.folded(below(name, phi), dtype).items()}
        return folded

    def forward(self, phi: Mapping[str, Tensor], x: Tensor, rgb: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """Features `[B·T, in, h, w]` and pictures `[B·T, 3, h, w]` → those of this resolution."""
        skip = None if self.skip is None else doubled(self.skip(x))
        for name, layer in self._layers().items():
            x = layer(x, below(name, phi))
        x = x if skip is None else x + skip
        if self.rgb is None:
            return x, None
        videos = phi["rgb"].shape[0]
        base = None if rgb is None else _frames_of(doubled(rgb), videos)
        features = _frames_of(x, videos)
        if self.clamps:  # clamp each resolution's own part, not the sum
            own = add_rgb(features, phi["rgb"], self.rgb.bias, None).clamp(-CLAMP, CLAMP)
            rgb = own if base is None else own + base
        else:
            rgb = add_rgb(features, phi["rgb"], self.rgb.bias, base)
        return x, rearrange(rgb, "b t h w c -> (b t) c h w")

    def _layers(self) -> dict[str, ModulatedConv2d]:
        return cast(dict[str, ModulatedConv2d], dict(self.layers.items()))


def _frames_of(x: Tensor, videos: int) -> Tensor:
    """`[B·T, C, H, W]` → `[B, T, H, W, C]`."""
    return rearrange(x, "(b t) c h w -> b t h w c", b=videos)


def doubled(x: Tensor) -> Tensor:
    """`[N, C, H, W]` → `[N, C, 2H, 2W]`: zeros between samples, then the low-pass with gain 4."""
    return upfirdn(x, up=2, padding=(2, 1), gain=4)
