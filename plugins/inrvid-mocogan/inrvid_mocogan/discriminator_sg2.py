"""The discriminators of MoCoGAN+SG2, StyleGAN-V's baseline (CVPR 2022): StyleGAN2's of frames, MoCoGAN's of clips."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator
from torch import Tensor, nn
from typing_extensions import Self

from inrvid.plugins import (
    Augmentation,
    Count,
    Discriminator,
    Layers,
    NonNegative,
    ParameterGroup,
    Positive,
    PowerOfTwo,
    ResidualDiscriminator,
    Tensors,
)

from .convolutions import ClipCritic, halvings, least_frames
from .layers import BatchNorm3d
from .two_heads import TwoHeads

STD = 0.02
"""Standard deviation of initial weights, and of batch norm's around 1."""
EXTRA = 2
"""3×3×3 convolutions at 256×256, and at no other size."""


class MocoganSg2Discriminator(TwoHeads):
    """StyleGAN2's discriminator of each frame, and 3-D convolutions with noise on the clip.

    R1 applies only to the frames' head, and an adaptive augmentation follows only that one; the clips' head learns at a
    fraction of the rate, in float32, and is given no label.
    """

    source = "StyleGAN-V (CVPR 2022), its baseline MoCoGAN+SG2"
    test_settings: ClassVar = {"resolution": 16, "frames": 10, "clip_length": 12, "video_channels": 4}

    class Config(Discriminator.Config):
        resolution: PowerOfTwo = Field(256, ge=8, description="side of the frames; in a recipe: the generator's")
        frames: Count = Field(16, description="frames of a clip; from 64×64 on at least 16")
        channel_base: Count = Field(16384, description="of frames: channels(r) = min(channel_base // r, channel_max)")
        channel_max: Count = Field(512, description="of frames: largest number of channels")
        label_layers: Layers = Field(8, description="of frames: layers of the mapping network of the label")
        video_channels: Count = Field(64, description="of clips: channels after the first convolution, then doubled")
        extra_layers: Literal[0, 2] | None = Field(
            None, description="of clips: 3×3×3 convolutions; default: 2 at 256×256, else none"
        )
        padded: Annotated[int, Field(ge=0, le=6)] = Field(
            0, description="of clips: how many convolutions, from the first on, pad time by 2 at each end; 6: all"
        )
        noise: NonNegative = Field(0.1, description="of clips: σ of the noise before convolutions, in training")
        video_lr: Positive = Field(0.1, description="of clips: learning rate, as a fraction of the recipe's")

        @model_validator(mode="after")
        def _clips_are_long_enough(self) -> Self:
            least = least_frames(halvings(self.resolution), full=True, extra=self.extra, padded=self.padded)
            if self.frames < least:
                raise ValueError(f"frames {self.frames} are too few for its convolutions over time: at least {least}")
            return self

        @property
        def extra(self) -> int:
            """3×3×3 convolutions."""
            return EXTRA * (self.resolution == 256) if self.extra_layers is None else self.extra_layers

    _config: Config

    def __init__(self, config: Config):
        super().__init__(config)
        self.image = ResidualDiscriminator(config, in_channels=3, label_layers=config.label_layers)
        self.video = video_critic(config)

    def of_frames(self, frames: Tensor, label: Tensor) -> Tensor:
        logits: Tensor = self.image(frames, label)
        return logits

    def of_clips(self, clips: Tensor) -> tuple[Tensor, Tensor]:
        return self.video.with_classes(clips)

    def penalty_points(self, frames: Tensor, t: Tensor, augment: Augmentation) -> tuple[Tensors, Tensors]:
        """Each frame before augmentation, for the head that judges frames."""
        points = frames.detach().flatten(0, 1).requires_grad_()
        seen = augment(points.unflatten(0, frames.shape[:2]))
        return {"image": points}, {"image": seen.flatten(0, 1)}

    def steering(self, logits: Tensors) -> Tensors:
        return {"image": logits["image"]}

    def parameter_groups(self) -> Iterator[ParameterGroup]:
        yield ParameterGroup(self.image.parameters())
        yield ParameterGroup(self.video.parameters(), lr_scale=self._config.video_lr)


class VideoCritic(ClipCritic):
    """`[B, 3, T, R, R]` → logits `[B, n]`."""

    def forward(self, x: Tensor) -> Tensor:
        return self.main(x).flatten(1)


def video_critic(config: MocoganSg2Discriminator.Config) -> VideoCritic:
    widths = [3, *(config.video_channels << i for i in range(halvings(config.resolution)))]
    critic = VideoCritic(widths, full=True, noise=config.noise, extra=config.extra, padded=config.padded)
    for layer in critic.modules():
        if isinstance(layer, nn.Conv3d):
            nn.init.normal_(layer.weight, 0, STD)
        elif isinstance(layer, BatchNorm3d):
            nn.init.normal_(layer.weight, 1, STD)
    return critic
