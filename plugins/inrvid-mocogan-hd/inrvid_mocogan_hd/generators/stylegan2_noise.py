"""StyleGAN2 (CVPR 2020) with noise inputs: detail that the style does not decide, with a learned strength per layer.

In a generator of videos the noise maps belong to the video, the same for all its frames (MoCoGAN-HD). They are a
function of the video's content latent, whose bits are their seed: the same latents make the same video anywhere, at any
time. A video that is made from styles (`inr_of_ws`) has no latent, and no noise.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Literal

import torch
import torch.nn.functional as F
from pydantic import Field, model_validator
from torch import Tensor, nn
from typing_extensions import Self

from inrvid.plugins import (
    GAIN,
    SLOPE,
    Count,
    Grid,
    InrvidError,
    Latents,
    MotionState,
    SeededNoise,
    StyleAffine,
    ToRGB,
    VideoGenerator,
    VideoINR,
    add_rgb,
    channels_of,
    upfirdn,
)

MASK = 0xFFFFFFFF
WORDS = 4
"""32-bit words of a key."""


class StyleGan2Noise(VideoGenerator):
    """StyleGAN2 with a map of noise in every layer; a motion code, if any, enters at the constant."""

    source = "StyleGAN2 (CVPR 2020); MoCoGAN-HD (ICLR 2021)"

    class Config(VideoGenerator.Config):
        mapping_layers: int = Field(8, ge=1, le=100, description="layers of the mapping network")
        half_blocks: Literal[0] = Field(0, description="all blocks run in single precision")
        channel_base: Count = Field(32768, description="channels(r) = min(channel_base // r, channel_max)")
        channel_max: Count = Field(512, description="largest number of channels")
        channels: Annotated[tuple[Count, ...], Field(strict=False)] | None = Field(
            None, description="channels at the resolutions 4, 8, … one by one; default: by channel_base and channel_max"
        )
        motion_width: Annotated[int, Field(ge=0, le=65536)] = Field(
            512, description="width of the motion code that the backbone takes in"
        )
        noise: Literal["always", "training", "never"] = Field("always", description="when noise is added")

        @model_validator(mode="after")
        def _channels_of_each(self) -> Self:
            wanted = self.resolution.bit_length() - 2
            if self.channels is not None and len(self.channels) != wanted:
                raise ValueError(
                    f"channels has {len(self.channels)} numbers, {self.resolution}x{self.resolution} {wanted}"
                )
            return self

    test_settings: ClassVar[dict[str, Any]] = {"mapping_layers": 2}

    def __init__(self, config: Config):
        super().__init__(config)
        sides = [2**i for i in range(2, config.resolution.bit_length())]
        channels = config.channels or list(channels_of(config, sides).values())
        self.noise = config.noise
        self.head = self.motion.head(config.motion_width, config.w_dim)
        self.constant = nn.Parameter(torch.randn(channels[0], 4, 4))
        self.layers, self.rgbs = nn.ModuleList(), nn.ModuleList()
        before = channels[0] + self.head.width
        for side, own in zip(sides, channels, strict=True):
            if side > 4:
                self.layers.append(NoisyLayer(before, own, side, config.w_dim, up=True))
            self.layers.append(NoisyLayer(before if side == 4 else own, own, side, config.w_dim))
            self.rgbs.append(ToRGB(own, config.w_dim))
            before = own

    @property
    def num_ws(self) -> int:
        return len(self.layers) + 1

    def inr(self, latents: Latents, truncation: float = 1.0) -> VideoINR:
        video = super().inr(latents, truncation)
        video.phi |= self.noise_maps(latents.content)
        return video

    def noise_maps(self, content: Tensor) -> dict[str, Tensor]:
        """Content latents `[B, z_dim]` → `noise.<layer>`: N(0, 1), `[B, r, r]`; a part of φ."""
        if self.noise == "never" or (self.noise == "training" and not self.training):
            return {}
        words = F.pad(content.detach().float(), (0, max(0, WORDS - content.shape[1])))[:, :WORDS].contiguous()
        keys = words.view(torch.int32).long() & MASK
        index = torch.zeros(content.shape[0], 1, dtype=torch.int64, device=content.device)
        return {
            f"noise.{i}": SeededNoise(keys, layer.side**2).at(index + i).view(-1, layer.side, layer.side)
            for i, layer in enumerate(self._layers())
        }

    def modulate(self, ws: Tensor) -> dict[str, Tensor]:
        phi = {"ws": ws}
        for i, layer in enumerate(self._layers()):
            style, scale = layer.modulated(ws[:, i])
            phi |= {f"style.{i}": style, f"scale.{i}": scale}
        return phi | {f"rgb.{i}": rgb.modulated(ws[:, 2 * i + 1]) for i, rgb in enumerate(self._rgbs())}

    def check_grid(self, grid: Grid) -> None:
        if grid != Grid(self.resolution, self.resolution):
            raise InrvidError(
                f"size {grid.height}x{grid.width}: stylegan2_noise draws only the whole frame, at {self.resolution}x"
                f"{self.resolution}; a generator of coordinates (inr_gan) draws any grid"
            )

    def render(self, phi: Mapping[str, Tensor], state: MotionState, t: Tensor, grid: Grid) -> Tensor:
        self.check_grid(grid)
        motion = self.head(state, phi["ws"][:, 0])  # [B, T, width]
        frames = t.shape[1] if motion.shape[2] else 1
        motion = motion[:, :frames, :, None, None].flatten(0, 1)
        x = self.constant.expand(motion.shape[0], -1, -1, -1)
        x = torch.cat([x, motion.expand(-1, -1, 4, 4)], dim=1)
        pictures: Tensor | None = None
        rgbs = self._rgbs()
        for i, layer in enumerate(self._layers()):
            x = layer(x, phi[f"style.{i}"], phi[f"scale.{i}"], phi.get(f"noise.{i}"))
            if not i % 2:
                pictures = _added(x, phi[f"rgb.{i // 2}"], next(rgbs).bias, pictures)
        assert pictures is not None
        return pictures.unflatten(0, (-1, frames)).expand(-1, t.shape[1], -1, -1, -1).contiguous()

    def _layers(self) -> Iterator[NoisyLayer]:
        for layer in self.layers:
            assert isinstance(layer, NoisyLayer)
            yield layer

    def _rgbs(self) -> Iterator[ToRGB]:
        for rgb in self.rgbs:
            assert isinstance(rgb, ToRGB)
            yield rgb


class NoisyLayer(nn.Module):
    """A convolution modulated and demodulated by a style, noise, bias and leaky ReLU with gain √2.

    `[B·T, in, h, w]` → `[B·T, out, side, side]`, with `up` from half the size.
    """

    def __init__(self, in_channels: int, channels: int, side: int, w_dim: int, *, up: bool = False):
        super().__init__()
        self.side, self.up = side, up
        self.weight = nn.Parameter(torch.randn(channels, in_channels, 3, 3))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.strength = nn.Parameter(torch.zeros(1))
        self.affine = StyleAffine(w_dim, in_channels, bias_init=1)
        self.gain = 1 / math.sqrt(in_channels * 9)

    def modulated(self, w: Tensor) -> tuple[Tensor, Tensor]:
        """w `[B, w_dim]` → factors of the inputs `[B, in]`, and of the outputs `[B, out]`: 1/‖W'‖ of each."""
        style = self.affine(w)
        energy = (self.weight * self.gain).square().sum(dim=(2, 3))
        return style, (style.square() @ energy.mT + 1e-8).rsqrt()

    def forward(self, x: Tensor, style: Tensor, scale: Tensor, noise: Tensor | None) -> Tensor:
        x, weight = _scaled(x, style), self.weight * self.gain
        if self.up:
            x = upfirdn(F.conv_transpose2d(x, weight.transpose(0, 1), stride=2), padding=(1, 1), gain=4)
        else:
            x = F.conv2d(x, weight, padding=1)
        x = _scaled(x, scale)
        if noise is not None:
            added = self.strength * noise[:, None, None]  # [B, 1, 1, side, side]
            x = (x.unflatten(0, (noise.shape[0], -1)) + added).flatten(0, 1)
        return F.leaky_relu(x + self.bias[:, None, None], SLOPE) * GAIN


def _added(x: Tensor, weight: Tensor, bias: Tensor, pictures: Tensor | None) -> Tensor:
    """Features `[B·T, C, r, r]` to pictures `[B·T, 3, r, r]`, added to those of half the size."""
    base = None if pictures is None else upfirdn(pictures, up=2, padding=(2, 1), gain=4)
    rgb = add_rgb(_by_video(x, weight), weight, bias, None if base is None else _by_video(base, weight))
    return rgb.flatten(0, 1).permute(0, 3, 1, 2)


def _scaled(x: Tensor, factors: Tensor) -> Tensor:
    """Features `[B·T, C, h, w]` times factors `[B, C]`."""
    return (x.unflatten(0, (factors.shape[0], -1)) * factors[:, None, :, None, None]).flatten(0, 1)


def _by_video(x: Tensor, of_videos: Tensor) -> Tensor:
    """`[B·T, C, h, w]` → `[B, T, h, w, C]`."""
    return x.unflatten(0, (of_videos.shape[0], -1)).permute(0, 1, 3, 4, 2)
