"""MoCoGAN's two discriminators (CVPR 2018, §3, as the release has them)."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field, model_validator
from torch import Tensor
from typing_extensions import Self

from inrvid.plugins import Count, Discriminator, NonNegative, PowerOfTwo

from .convolutions import ClipCritic, FrameCritic, Init, halvings, initialise, least_frames, widths_of
from .layers import precisions
from .two_heads import TwoHeads


class MocoganDiscriminator(TwoHeads):
    """MoCoGAN's discriminators: one of frames, and one of clips that may also tell their class.

    Convolutions halve the side, down to 4×4 at 64×64; larger frames end in a larger map of logits. `full`: the last
    convolution takes in 4×4; `patch`: the last halving itself makes the logits.
    """

    source = "MoCoGAN (CVPR 2018) §3"
    test_settings: ClassVar = {"resolution": 16, "frames": 10, "clip_length": 12}

    class Config(Discriminator.Config):
        resolution: PowerOfTwo = Field(64, ge=8, description="side of the frames; in a recipe: the generator's")
        frames: Count = Field(16, description="frames of a clip; at 64×64 patch needs at least 13, full 16")
        channel_base: Count = Field(2048, description="channels(r) = min(channel_base // r, channel_max)")
        mbstd_group: Count = Field(1, description="unused here: no clips are compared")
        image: Literal["patch", "full"] = Field("patch", description="which discriminator of frames")
        video: Literal["patch", "full", "categorical"] = Field(
            "categorical", description="which discriminator of clips; categorical: full, and a logit for each class"
        )
        noise: NonNegative = Field(0.0, description="σ of the noise before convolutions, in training")
        channels: Literal[1, 3] = Field(3, description="how many channels of a frame, from the first on, are looked at")
        init: Init = Field("release", description="initial weights: those of PyTorch 0.2, or of today's")

        @model_validator(mode="after")
        def _clips_are_long_enough(self) -> Self:
            least = least_frames(halvings(self.resolution), full=self.video != "patch")
            if self.frames < least:
                raise ValueError(f"frames {self.frames} are too few for its convolutions over time: at least {least}")
            return self

    def __init__(self, config: Config):
        super().__init__(config)
        self.channels = config.channels
        widths = widths_of(config.channels, config.resolution, config.channel_base, config.channel_max)
        of_frames, of_clips = config.image == "full", config.video != "patch"
        classes = config.label_dim if config.video == "categorical" else 0
        resolutions = [config.resolution >> i for i in range(len(widths))]
        half = precisions(resolutions, config.half_blocks, config.half_dtype)
        shared: dict[str, Any] = {"noise": config.noise, "half": half}
        self.image = FrameCritic(widths if of_frames else widths[:-1], full=of_frames, **shared)
        self.video = ClipCritic(widths if of_clips else widths[:-1], 1 + classes, full=of_clips, **shared)
        initialise(self, config.init)

    def of_frames(self, frames: Tensor, label: Tensor) -> Tensor:
        logits: Tensor = self.image(frames[:, : self.channels])
        return logits

    def of_clips(self, clips: Tensor) -> tuple[Tensor, Tensor]:
        return self.video.with_classes(clips[:, : self.channels])
