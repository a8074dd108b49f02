"""MoCoGAN's generator (CVPR 2018, §3): a frame is G_I(content, class, motion), a DCGAN, with a motion code per frame.

The style w of a video is [z ‖ class], unchanged, and all of φ. The first layer takes in the whole code of each frame,
as the release's does: w's share is the same for all frames, but only 0.4 % of the work, and adding it separately would
round differently. Batch normalisation couples all frames of a batch in training; in evaluation each frame is by itself.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

import torch
from einops import rearrange
from pydantic import Field, model_validator
from torch import Tensor, nn

from inrvid.plugins import (
    Count,
    Grid,
    InrvidError,
    MotionState,
    PartConfig,
    PartOf,
    PowerOfTwo,
    VideoGenerator,
    channels_of,
)

from .convolutions import Init, initialise
from .layers import BatchNorm2d, Stack, precisions


class Mocogan(VideoGenerator):
    """MoCoGAN's generator: transposed convolutions of a content code, a class and a motion code per frame."""

    source = "MoCoGAN (CVPR 2018) §3"
    test_settings: ClassVar = {"resolution": 8}

    class Config(VideoGenerator.Config):
        resolution: PowerOfTwo = Field(64, ge=8, description="side of the frames, pixels")
        z_dim: Count = Field(50, description="width of the content code z")
        w_dim: Count = Field(50, description="width of [z ‖ class]: z_dim + label_dim, whatever is written")
        mapping_layers: Literal[0] = Field(0, description="the style is the latent itself")
        channel_base: Count = Field(2048, description="channels(r) = min(channel_base // r, channel_max)")
        channel_max: Count = Field(512, description="largest number of channels")
        channels: Literal[1, 3] = Field(3, description="channels drawn; 1: grey frames, whose three channels are equal")
        motion: Annotated[PartConfig, PartOf("motions")] = Field(
            {"type": "gru"}, validate_default=True, description="motion parametrization"
        )
        motion_dim: Count = Field(10, description="width of the motion code of a frame")
        init: Init = Field("release", description="initial weights: those of PyTorch 0.2, or of today's")

        @model_validator(mode="before")
        @classmethod
        def _style_is_the_latent(cls, data: Any) -> Any:
            if not isinstance(data, Mapping):
                return data
            z_dim, label_dim = (data.get(key, cls.model_fields[key].default) for key in ("z_dim", "label_dim"))
            known = isinstance(z_dim, int) and isinstance(label_dim, int)
            return {**data, "w_dim": z_dim + label_dim} if known else data

    def __init__(self, config: Config):
        # The data's classes are known only after validation.
        super().__init__(config := config.model_copy(update={"w_dim": config.z_dim + config.label_dim}))
        w_dim, sides = config.w_dim, [2**i for i in range(2, config.resolution.bit_length() - 1)]
        self.head = self.motion.head(config.motion_dim, w_dim)
        widths = list(channels_of(config, sides).values())
        layers: list[nn.Module] = [nn.ConvTranspose2d(w_dim + self.head.width, widths[0], 4, 1, 0, bias=False)]
        for a, b in itertools.pairwise([*widths, config.channels]):
            layers += [BatchNorm2d(a), nn.ReLU(), nn.ConvTranspose2d(a, b, 4, 2, 1, bias=False)]
        half = precisions([*sides, config.resolution], config.half_blocks, config.half_dtype)
        self.main = Stack([*layers, nn.Tanh()], half)
        initialise(self.main, config.init)

    @staticmethod
    def make_mapping(config: VideoGenerator.Config) -> nn.Module:
        return Latent()

    @property
    def num_ws(self) -> int:
        return 1

    def modulate(self, ws: Tensor) -> dict[str, Tensor]:
        return {"w": ws[:, 0]}

    def style_weights(self) -> Tensor:
        """Of the first layer, the only one that w enters: its further columns are the motion code's."""
        return self.main[0].weight[: self._config.w_dim].flatten(1).mT

    def check_grid(self, grid: Grid) -> None:
        if grid != Grid(self.resolution, self.resolution):
            raise InrvidError(
                f"size {grid.height}x{grid.width}: mocogan draws only the whole frame, at {self.resolution}x"
                f"{self.resolution}; a generator of coordinates (inr_gan) draws any grid"
            )

    def render(self, phi: Mapping[str, Tensor], state: MotionState, t: Tensor, grid: Grid) -> Tensor:
        self.check_grid(grid)
        motion = self.head(state, phi["w"])  # [B, T, width]
        motion = motion if motion.shape[2] else motion[:, :1]  # frames that do not move are drawn once
        w = phi["w"][:, None].expand(-1, motion.shape[1], -1)
        codes = torch.cat([w, motion.to(w.dtype)], dim=2)
        frames = self.main(rearrange(codes, "b t c -> (b t) c 1 1"))
        frames = rearrange(frames, "(b t) c h w -> b t c h w", b=codes.shape[0])
        return frames.expand(-1, t.shape[1], 3, -1, -1).contiguous()  # grey ones have three equal channels


class Latent(nn.Module):
    """w = [ψ·z ‖ class]; ψ is the truncation."""

    def forward(self, z: Tensor, label: Tensor, truncation: float = 1.0) -> Tensor:
        return torch.cat([z * truncation, label.to(z.dtype)], dim=1)
