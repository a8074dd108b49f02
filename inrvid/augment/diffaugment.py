"""DiffAugment (Zhao et al., NeurIPS 2020), with one draw a clip (DIGAN, appendix A.1)."""

from __future__ import annotations

from typing import Annotated, Literal

import torch
from pydantic import Field, Strict
from torch import Tensor

from ..config import PartConfig
from ..discriminators.base import Augmentation
from ..random import Draws
from ..transfer import to_device
from .base import Augment


class DiffAugment(Augment):
    """Colour and translation, the same draw for all frames of a clip.

    `color`: brightness + U(−½, ½), saturation × U(0, 2) around the pixel's mean over channels, contrast
    × U(½, 3/2) around the frame's mean; `translation`: whole pixels up to a fraction of the side, zeros outside."""

    source = "DiffAugment (NeurIPS 2020)"

    class Config(PartConfig):
        policy: Annotated[tuple[Literal["color", "translation"], ...], Strict(False)] = Field(
            ("color", "translation"), description="what is varied"
        )
        max_translation: Annotated[float, Field(ge=0, le=0.5)] = Field(0.125, description="as a fraction of the side")

    config: Config

    def sample(self, draws: Draws, device: torch.device) -> Augmentation:
        # All numbers are drawn whatever the policy is, so that a policy does not change another's draws.
        numbers = to_device(draws.uniform(5), device)
        color, place = numbers[:, :3], numbers[:, 3:]

        def apply(frames: Tensor) -> Tensor:
            if "color" in self.config.policy:
                frames = jitter(frames, color)
            if "translation" in self.config.policy:
                frames = translate(frames, self._shift(frames, place))
            return frames

        return apply

    def _shift(self, frames: Tensor, uniform: Tensor) -> Tensor:
        """Integers in −m … m, all equally likely, where m is the largest translation: int64 `[B, 2]`."""
        largest = [int(side * self.config.max_translation + 0.5) for side in frames.shape[3:]]
        return torch.stack(
            [(u * (2 * m + 1)).long() - m for u, m in zip(uniform.unbind(1), largest, strict=True)], dim=1
        )


def jitter(frames: Tensor, uniform: Tensor) -> Tensor:
    """frames `[B, T, 3, H, W]`, uniform `[B, 3]` in [0, 1): brightness, saturation, contrast."""
    brightness, saturation, contrast = uniform.to(frames.dtype)[:, :, None, None, None, None].unbind(1)
    frames = frames + (brightness - 0.5)
    mean = frames.mean(dim=2, keepdim=True)
    frames = mean + (frames - mean) * (2 * saturation)
    mean = frames.mean(dim=(2, 3, 4), keepdim=True)
    return mean + (frames - mean) * (contrast + 0.5)


def translate(frames: Tensor, shift: Tensor) -> Tensor:
    """Move the content by shift `[B, 2]` (rows down, columns right), in whole pixels; zeros come in."""
    for dim, offset in ((3, shift[:, 0]), (4, shift[:, 1])):
        size = frames.shape[dim]
        source = torch.arange(size, device=frames.device) - offset[:, None]  # [B, size]
        shape = [len(frames), 1, 1, 1, 1]
        shape[dim] = size
        inside = ((source >= 0) & (source < size)).view(shape)
        index = (
            source.clamp(0, size - 1)
            .view(shape)
            .expand(-1, *(n if d != dim else -1 for d, n in enumerate(frames.shape) if d))
        )
        frames = frames.gather(dim, index) * inside
    return frames
