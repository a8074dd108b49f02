"""DIGAN's two discriminators (ICLR 2022, §3.2): one sees single frames, one a pair of frames and its interval."""

from __future__ import annotations

from typing import Literal

import torch
from einops import rearrange
from pydantic import Field, model_validator
from torch import Tensor

from ..config import Layers
from ..layers.widths import some_are_left
from .base import Augmentation, Discriminator, Tensors
from .residual import ResidualDiscriminator


class DualDiscriminator(Discriminator):
    """An image discriminator, and a motion discriminator on a pair of frames and their interval.

    Heads: `image` `[B, 2]`, one logit per frame; `motion` `[B]`, one logit per pair.

    The motion discriminator's input is `[B, 7, H, W]`: both frames, and a plane that holds their interval
    Δτ = (t2 − t1)/(clip_length − 1).
    """

    source = "DIGAN (ICLR 2022) §3.2"

    class Config(Discriminator.Config):
        frames: Literal[2] = Field(2, description="the motion discriminator sees a pair")
        label_layers: Layers = Field(8, description="layers of the mapping network of the label")

        _channels = model_validator(mode="after")(some_are_left)

    joins = True

    def __init__(self, config: Config):
        super().__init__(config)
        self.clip_length = config.clip_length
        self.image = ResidualDiscriminator(config, in_channels=3, label_layers=config.label_layers)
        self.motion = ResidualDiscriminator(config, in_channels=7, label_layers=config.label_layers)

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
        """As in the release: the image head at augmented frames, the motion head at the pair *before* augmentation
        (and at the plane of the interval)."""
        motion = self.inputs(frames, t)["motion"].detach().requires_grad_()
        pair, plane = motion.split([6, 1], dim=1)
        pair = augment(rearrange(pair, "b (t c) h w -> b t c h w", c=3))
        image = pair.detach().flatten(0, 1).requires_grad_()
        inputs = {"image": image, "motion": torch.cat([rearrange(pair, "b t c h w -> b (t c) h w"), plane], dim=1)}
        return {"image": image, "motion": motion}, inputs
