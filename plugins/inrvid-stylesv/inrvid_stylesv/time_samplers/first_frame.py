"""Times that begin with the first frame (StyleInV, ICCV 2023), which its motion treats unlike all others."""

from __future__ import annotations

from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor

from inrvid.plugins import Count, Draws, RandomDistance


class FirstFrame(RandomDistance):
    """Frame 0 and k − 1 others after it, the last of them a power of two away.

    Real clips: any frame of a video may be the first of a clip, and is given as time 0. Generated: t_1 = 0, and whole
    frames after it as in real clips, in videos as long as random training videos but at most `max_frames`.

    A generator that never sees a time beyond `max_distance` learns none: with `anywhere` the other frames are delayed
    by any time that fits in the video.
    """

    source = "StyleInV (ICCV 2023)"

    class Config(RandomDistance.Config):
        frames: Annotated[int, Field(ge=2, le=16)] = Field(
            4, description="k, frame 0 among them; in a recipe: what the discriminator sees"
        )
        max_distance: Count = Field(128, description="longest span from the first frame to the last, before any delay")
        variant: Literal["release", "paper"] = Field(
            "release", description="release: spans are powers of two; paper: any whole number of frames"
        )
        anywhere: bool = Field(False, description="delay the frames after the first, all by one random time")

    config: Config

    def real(self, draws: Draws, lengths: Tensor) -> tuple[Tensor, Tensor]:
        offsets = self._from_the_first(draws, lengths.clamp(max=self.config.max_frames))  # as far as generated ones go
        start = (draws.uniform() * (lengths - offsets[:, -1])).long()
        return start[:, None] + offsets, offsets.float()

    def generated(self, draws: Draws, lengths: Tensor) -> Tensor:
        return self._from_the_first(draws, lengths.clamp(max=self.config.max_frames)).float()

    def _from_the_first(self, draws: Draws, lengths: Tensor) -> Tensor:
        """Frames since the first, int64 `[B, k]`."""
        offsets, span = self.offsets(draws, lengths)
        delay = (draws.uniform() * (lengths - span)).long() * self.config.anywhere
        return torch.cat([offsets[:, :1], offsets[:, 1:] + delay[:, None]], dim=1)
