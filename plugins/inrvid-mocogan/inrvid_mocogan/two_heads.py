"""Discriminators with a head for frames and a head for clips."""

from __future__ import annotations

import abc

from einops import rearrange
from torch import Tensor

from inrvid.plugins import Discriminator, Tensors


class TwoHeads(Discriminator, abc.ABC):
    """One head judges frames by themselves, one clips.

    Heads: `image` `[B, T·m]`, m logits a frame; `video` `[B, n]`. Either may be evaluated alone (`heads`).
    """

    @abc.abstractmethod
    def of_frames(self, frames: Tensor, label: Tensor) -> Tensor:
        """`[N, 3, H, W]`, label of each `[N, classes]` → logits `[N, …]`."""

    @abc.abstractmethod
    def of_clips(self, clips: Tensor) -> tuple[Tensor, Tensor]:
        """`[B, 3, T, H, W]` → logits `[B, …]`, class logits `[B, classes, …]` (0 classes where it tells none)."""

    def inputs(self, frames: Tensor, t: Tensor) -> Tensors:
        return {"image": frames.flatten(0, 1), "video": in_time(frames)}

    def heads(self, inputs: Tensors, t: Tensor, label: Tensor) -> Tensors:
        logits = {}
        if "image" in inputs:
            frames = inputs["image"].shape[0] // label.shape[0]
            of_frames = self.of_frames(inputs["image"], label.repeat_interleave(frames, dim=0))
            logits["image"] = of_frames.reshape(label.shape[0], -1)
        if "video" in inputs:
            logits["video"] = self.of_clips(inputs["video"])[0].flatten(1)
        return logits


def in_time(frames: Tensor) -> Tensor:
    """`[B, T, C, H, W]` → `[B, C, T, H, W]`, as convolutions over time take it."""
    return rearrange(frames, "b t c h w -> b c t h w")
