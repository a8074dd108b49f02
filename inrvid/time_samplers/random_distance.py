"""Times whose total distance is drawn first, anywhere in the video (StyleGAN-V, CVPR 2022, §3.2 and its release)."""

from __future__ import annotations

from typing import Annotated, Literal

import torch
from pydantic import Field, model_validator
from torch import Tensor
from typing_extensions import Self

from ..config import MOST, Count
from ..random import Draws
from .base import TimeSampler


class RandomDistance(TimeSampler):
    """k times whose total distance is drawn first, anywhere in the video.

    D = t_k − t_1 is a power of two (release) or any integer (paper) in k − 1 … max_distance; t_1 is uniform; the inner
    times are distinct whole numbers of frames after t_1.

    Real clips: t_1 is a frame of the video. Generated clips: t_1 is any real number, in videos as long as random
    training videos but at most `max_frames` (release), or always `max_frames` long (paper).
    """

    source = "StyleGAN-V (CVPR 2022) §3.2"

    class Config(TimeSampler.Config):
        frames: Annotated[int, Field(ge=1, le=16)] = Field(3, description="k; in a recipe: the discriminator's frames")
        max_frames: Annotated[int, Field(ge=2, le=MOST)] = Field(1024, description="longest generated video, frames")
        max_distance: Count = Field(32, description="largest distance between the first and the last frame")
        variant: Literal["release", "paper"] = Field(
            "release",
            description="release: the total distance is a power of two, generated videos are as long as random "
            "training videos; paper: any distance, all generated videos are max_frames long",
        )

        @model_validator(mode="after")
        def _distances_fit(self) -> Self:
            for name, value, least in (
                ("max_distance", self.max_distance, self.frames - 1),
                ("max_frames", self.max_frames, self.frames),
            ):
                if value < least:
                    raise ValueError(f"{name} {value} is too small for {self.frames} frames: at least {least}")
            return self

    config: Config

    def real(self, draws: Draws, lengths: Tensor) -> tuple[Tensor, Tensor]:
        offsets, span = self.offsets(draws, lengths)
        start = (draws.uniform() * (lengths - span)).long()
        numbers = start[:, None] + offsets
        return numbers, numbers.float()

    def generated(self, draws: Draws, lengths: Tensor) -> Tensor:
        longest = torch.full_like(lengths, self.config.max_frames)
        lengths = longest if self.config.variant == "paper" else lengths.minimum(longest)
        offsets, span = self.offsets(draws, lengths)
        start = draws.uniform() * (lengths - 1 - span)
        return start[:, None] + offsets

    def offsets(self, draws: Draws, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """(t_i − t_1 int64 `[B, k]`, total distance D `[B]`) for videos of these lengths."""
        k = self.frames
        if k == 1:
            draws.uniform(2)
            return torch.zeros(len(draws), 1, dtype=torch.int64), torch.zeros(len(draws), dtype=torch.int64)
        span = self._distance(draws.uniform(), (lengths - 1).clamp(max=self.config.max_distance))
        # k − 2 distinct numbers in 1 … D − 1: the positions of the k − 2 smallest of D − 1 uniform draws.
        ranks = draws.uniform(self.config.max_distance - 1)
        ranks = ranks.masked_fill(torch.arange(1, self.config.max_distance, device="cpu") >= span[:, None], 2.0)
        inner = ranks.argsort(dim=1)[:, : k - 2].sort(dim=1).values + 1
        return torch.cat([torch.zeros_like(span)[:, None], inner, span[:, None]], dim=1), span

    def _distance(self, uniform: Tensor, longest: Tensor) -> Tensor:
        """Total distances in k − 1 … longest (int64 `[B]`), uniform among those that the variant admits.

        Where it admits none, the longest (for k = 16 in a video of 16 frames, there is no power of two from 15 to 15).
        """
        shortest = self.frames - 1
        admitted = torch.arange(shortest, self.config.max_distance + 1, device="cpu")
        if self.config.variant == "release":
            admitted = admitted[(admitted & (admitted - 1)) == 0]
        count = (admitted <= longest[:, None]).sum(dim=1)
        if not len(admitted):
            return longest
        chosen = admitted[(uniform * count).long().clamp(max=len(admitted) - 1)]
        return torch.where(count > 0, chosen, longest)
