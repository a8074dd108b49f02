"""What MoCoGAN-HD's two discriminators share: all frames of a clip, and a pyramid that judges them in time and space.

They ignore labels, and a loss calls them head by head: `clip_inputs`, `picture_inputs`, `heads`.
"""

from __future__ import annotations

import abc
from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, model_validator
from torch import Tensor, nn
from typing_extensions import Self

from inrvid.plugins import Augmentation, Count, Discriminator, ParameterGroup, PowerOfTwo, Tensors

from .pyramid import Norm, patches, pooled, scales

BETAS = (0.5, 0.999)


class ClipDiscriminator(Discriminator):
    """Heads `video<k>`, k = 0 at full size: `[B, 1, t, h, w]`; derived classes add heads of pictures."""

    class Config(Discriminator.Config):
        frames: Annotated[int, Field(ge=2, le=1024)] = Field(16, description="n: all frames of a clip, in their order")
        half_blocks: Literal[0] = Field(0, description="all layers run in single precision")
        mbstd_group: Count = Field(1, description="clips that are judged together, at least")
        channel_max: Count = Field(512, description="largest number of channels of a pyramid")
        size: PowerOfTwo = Field(128, description="side to which larger frames are averaged before they are judged")
        width: Count = Field(64, description="channels of a pyramid's first layer; each next one has twice as many")
        scales: Annotated[int, Field(ge=1, le=8)] = Field(2, description="scales of a pyramid")
        norm: Literal["instance", "batch"] = Field("instance", description="normalisation in pyramids over time")
        least_frames: ClassVar[int] = 3
        """Fewest frames of clips that are halved in time."""

        @model_validator(mode="after")
        def _can_be_halved(self) -> Self:
            if self.scales == 1:
                return self
            if self.frames < self.least_frames:
                raise ValueError(f"{self.scales} scales need clips of {self.least_frames} frames or more")
            side = min(self.size, self.resolution)
            if side >> (self.scales - 2) < 4:
                raise ValueError(f"{self.scales} scales need frames of more than {side} pixels")
            return self

    test_settings: ClassVar[dict[str, Any]] = {"frames": 4, "width": 4}
    test_alone = "batches are normalised a process by itself, as in the release"
    in_channels: int
    """Input channels of the clips' pyramid."""

    def __init__(self, config: Config):
        super().__init__(config)
        self.size, self.scales = min(config.size, config.resolution), config.scales
        self.video = self._pyramid(3, self.in_channels, config.norm)

    @abc.abstractmethod
    def clip(self, frames: Tensor) -> Tensor:
        """frames `[B, n, 3, R, R]` → what the pyramid over time looks at, `[B, C, t, h, w]`."""

    @abc.abstractmethod
    def picture_inputs(self, frames: Tensor, later: int) -> Tensors:
        """frames, and the number of the one that is judged as a picture → what the heads of pictures look at."""

    def clip_inputs(self, frames: Tensor, *, backwards: bool = False) -> Tensors:
        """frames `[B, n, 3, R, R]` → what the heads of clips look at; `backwards`: reversed in time."""
        x = self.clip(frames)
        return self.at_scales("video", x.flip(2) if backwards else x)

    @abc.abstractmethod
    def heads(self, inputs: Tensors, t: Tensor | None = None, label: Tensor | None = None) -> Tensors: ...

    def inputs(self, frames: Tensor, t: Tensor) -> Tensors:
        return self.clip_inputs(frames) | self.picture_inputs(frames, frames.shape[1] - 1)

    def penalty_points(self, frames: Tensor, t: Tensor, augment: Augmentation) -> tuple[Tensors, Tensors]:
        """What each head looks at, of augmented frames: a row is a clip, or a picture."""
        inputs = self.inputs(augment(frames), t)
        points = {head: x.detach().requires_grad_() for head, x in inputs.items()}
        return points, points

    def parameter_groups(self) -> Iterator[ParameterGroup]:
        yield ParameterGroup(self.video.parameters(), betas=BETAS)

    def at_scales(self, kind: str, x: Tensor) -> Tensors:
        """`x` as the inputs of the heads `<kind><k>`."""
        return {f"{kind}{k}": at_scale for k, at_scale in enumerate(scales(x, self.scales))}

    def pooled(self, frames: Tensor) -> Tensor:
        return pooled(frames, self.size)

    def _pyramid(self, dims: Literal[2, 3], in_channels: int, norm: Norm) -> nn.ModuleList:
        config = self._config
        assert isinstance(config, ClipDiscriminator.Config)
        return nn.ModuleList(
            patches(dims, in_channels, width=config.width, most=config.channel_max, norm=norm)
            for _ in range(self.scales)
        )
