"""MoCoGAN-HD's discriminators where the image generator shows something other than the videos (ICLR 2021, §3.3).

Clips are compared with real ones, pictures only with each other: the first frame of a video is what the image generator
draws by itself, and any later one should be of the same kind. The network of pictures has a moving average, whose
projections of earlier generated pictures fill the queues of a contrastive loss (MoCo, CVPR 2020).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from pydantic import Field, model_validator
from torch import Tensor, nn
from typing_extensions import Self

from inrvid.plugins import Count, ParameterGroup, Tensors

from .clips import ClipDiscriminator
from .pyramid import pooled
from .residual import WIDTHS, ResidualNet


class CrossDomain(ClipDiscriminator):
    """A pyramid of patches of clips, and a residual network of pictures with its moving average.

    Heads: `video<k>` `[B, 1, t, h, w]`, k = 0 at full size; `image` `[B]`.
    """

    source = "MoCoGAN-HD (ICLR 2021) §3.3"

    class Config(ClipDiscriminator.Config):
        image_channels: Count = Field(96, description="narrowest channels of the network of pictures")
        projection: Count = Field(256, description="l: width of its features and projections")
        queue: Count = Field(4096, description="projections that each of the two queues holds")

        @model_validator(mode="after")
        def _large_enough(self) -> Self:
            side = min(self.size, self.resolution)
            if side < min(WIDTHS):
                raise ValueError(
                    f"judges pictures of {side}x{side}: they should be of {min(WIDTHS)}x{min(WIDTHS)} at least"
                )
            return self

    test_settings: ClassVar[dict[str, Any]] = {
        **ClipDiscriminator.test_settings,
        **{"image_channels": 4, "projection": 8, "queue": 16},
    }
    test_parts: ClassVar[dict[str, Any]] = {"loss": {"type": "mocogan_hd_cross", "generator_steps": 1, "mutual": 0.0}}
    test_unreached = ("image.project",)
    in_channels = 3
    queues: Tensor
    written: Tensor

    def __init__(self, config: Config):
        super().__init__(config)
        side = self.image_side = min(self.size, max(WIDTHS))
        self.image = ResidualNet(side, channels=config.image_channels, projection=config.projection)
        self.average = ResidualNet(side, channels=config.image_channels, projection=config.projection)
        self.average.requires_grad_(False)
        for own, other in zip(self.average.parameters(), self.image.parameters(), strict=True):
            own.data.copy_(other.data)
        # Normalised along the queue, as in the release: they are soon overwritten, and compared only by angles.
        self.register_buffer("queues", F.normalize(torch.randn(2, config.queue, config.projection), dim=1))
        self.register_buffer("written", torch.zeros((), dtype=torch.int64))
        self.used = config.queue
        """How much of a queue is used: as many whole batches as it has room for."""

    def clip(self, frames: Tensor) -> Tensor:
        return self.pooled(frames).transpose(1, 2)

    def picture_inputs(self, frames: Tensor, later: int) -> Tensors:
        return {"image": self.picture(frames, later)}

    def picture(self, frames: Tensor, number: int) -> Tensor:
        """Frame `number` as the network of pictures takes it, `[B, 3, side, side]`."""
        return pooled(frames[:, [number]], self.image_side)[:, 0]

    def heads(self, inputs: Tensors, t: Tensor | None = None, label: Tensor | None = None) -> Tensors:
        networks: dict[str, nn.Module] = {f"video{k}": network for k, network in enumerate(self.video)}
        return {head: self.image(x)[0] if head == "image" else networks[head](x) for head, x in inputs.items()}

    def parameter_groups(self) -> Iterator[ParameterGroup]:
        yield from super().parameter_groups()
        yield ParameterGroup(self.image.parameters(), betas=(0.0, 0.999), eps=1e-6)

    @torch.no_grad()
    def follow(self, keep: float) -> None:
        """After a step of the network of pictures: its average ← keep·average + (1 − keep)·network."""
        torch._foreach_lerp_(list(self.average.parameters()), list(self.image.parameters()), 1 - keep)

    @torch.no_grad()
    def remember(self, first: Tensor, later: Tensor) -> None:
        """Write projections `[N, l]` of first and of later frames to the queues, over the oldest."""
        length, count = self.queues.shape[1], len(first)
        self.used = length // count * count or length
        rows = (self.written + torch.arange(min(count, self.used), device=first.device)) % self.used
        self.queues[0, rows], self.queues[1, rows] = first[: self.used], later[: self.used]
        self.written.add_(count).remainder_(self.used)
