"""DIGAN's two discriminators (ICLR 2022, §3.2): one sees single frames, one a pair of frames and its interval."""

from __future__ import annotations

from typing import Literal

import torch
from einops import rearrange
from pydantic import Field
from torch import Tensor, nn

from ..config import Layers
from ..layers.half import bounded, half_dtypes
from ..layers.mapping import MappingNetwork
from ..layers.residual import Epilogue, ResidualBlock, from_rgb, run_blocks
from .base import Augmentation, Discriminator, Tensors


class DualDiscriminator(Discriminator):
    """An image discriminator, and a motion discriminator on a pair of frames and their interval.

    Heads: `image` `[B, 2]`, a logit a frame; `motion` `[B]`, a logit a pair.

    The motion discriminator's input is `[B, 7, H, W]`: both frames, and a plane that holds their interval
    Δτ = (t2 − t1)/(clip_length − 1).
    """

    source = "DIGAN (ICLR 2022) §3.2"

    class Config(Discriminator.Config):
        frames: Literal[2] = Field(2, description="the motion discriminator sees a pair")
        label_layers: Layers = Field(8, description="layers of the mapping network of the label")

    joins = True

    def __init__(self, config: Config):
        super().__init__(config)
        self.clip_length = config.clip_length
        self.image = ResidualDiscriminator(config, in_channels=3)
        self.motion = ResidualDiscriminator(config, in_channels=7)

    def inputs(self, frames: Tensor, t: Tensor) -> Tensors:
        interval = (t[:, 1] - t[:, 0]) / (self.clip_length - 1)
        plane = interval.to(frames.dtype)[:, None, None, None].expand(-1, 1, *frames.shape[3:])
        pair = rearrange(frames, "b t c h w -> b (t c) h w")
        return {"image": frames.flatten(0, 1), "motion": torch.cat([pair, plane], dim=1)}

    def heads(self, inputs: Tensors, t: Tensor, label: Tensor) -> Tensors:
        of_frames = label.repeat_interleave(self.frames, dim=0)
        return {
            "image": self.image(inputs["image"], of_frames).unflatten(0, (-1, self.frames)),
            "motion": self.motion(inputs["motion"], label),
        }

    def penalty_points(self, frames: Tensor, t: Tensor, augment: Augmentation) -> tuple[Tensors, Tensors]:
        """As the release: the image head at augmented frames, the motion head at the pair *before* augmentation
        (and the interval's plane)."""
        motion = self.inputs(frames, t)["motion"].detach().requires_grad_()
        pair, plane = motion.split([6, 1], dim=1)
        pair = augment(rearrange(pair, "b (t c) h w -> b t c h w", c=3))
        image = pair.detach().flatten(0, 1).requires_grad_()
        inputs = {"image": image, "motion": torch.cat([rearrange(pair, "b t c h w -> b (t c) h w"), plane], dim=1)}
        return {"image": image, "motion": motion}, inputs


class ResidualDiscriminator(nn.Module):
    """`[N, in_channels, R, R]`, label `[N, classes]` → logit `[N]` (StyleGAN2's residual discriminator)."""

    def __init__(self, config: DualDiscriminator.Config, *, in_channels: int):
        super().__init__()
        resolutions = [2**i for i in range(config.resolution.bit_length() - 1, 1, -1)]
        channels = [min(config.channel_base // r, config.channel_max) for r in resolutions]
        half = bounded(config.half_blocks, config.half_dtype)
        self.dtypes = half_dtypes(resolutions, config.half_blocks, config.half_dtype)
        self.rgb = from_rgb(in_channels, channels[0], half=half)
        blocks = zip(resolutions, channels, channels[1:], strict=False)
        self.blocks = nn.ModuleDict({str(r): ResidualBlock(a, a, b, half=half) for r, a, b in blocks})
        cmap_dim = channels[-1] if config.label_dim else 0
        self.epilogue = Epilogue(
            channels[-1], channels[-1], cmap_dim=cmap_dim, mbstd_group=config.mbstd_group, half=half
        )
        self.mapping = (
            MappingNetwork(0, config.label_dim, cmap_dim, layers=config.label_layers, average=False)
            if cmap_dim
            else None
        )

    def forward(self, x: Tensor, label: Tensor) -> Tensor:
        cmap = None if self.mapping is None else self.mapping(None, label)
        x = run_blocks(self.rgb, self.blocks, self.dtypes, x)
        return self.epilogue(x, cmap)
