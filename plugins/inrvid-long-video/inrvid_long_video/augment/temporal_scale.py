"""Clips that run slower or faster (LongVideoGAN, NeurIPS 2022), after an augmentation of their frames."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor

from inrvid.plugins import Augment, Augmentation, Draws, PartConfig, PartOf, Tensors, registry, to_device


class TemporalScale(Augment):
    """Another augmentation, then the clip's time stretched by 2^U(−1, 1), the same for all its frames.

    Frames are assumed to be equally far apart (time_sampler: {type: consecutive}) and interpolated linearly around the
    clip's middle; what the stretched clip has in excess is cropped, what it lacks is zero."""

    source = "LongVideoGAN (NeurIPS 2022)"

    class Config(PartConfig):
        base: Annotated[PartConfig, PartOf("augments")] = Field(
            {"type": "ada"}, validate_default=True, description="the augmentation before it, of single frames"
        )
        octaves: Annotated[float, Field(gt=0, le=4)] = Field(
            1.0, description="time is stretched by 2^U(−octaves, octaves)"
        )

    config: Config

    def __init__(self, config: Config):
        super().__init__(config)
        self.base: Augment = registry("augments").build(config.base)

    def sample(self, draws: Draws, device: torch.device) -> Augmentation:
        stretch = (
            (2 * draws.uniform() - 1) * self.config.octaves
        ).exp2()  # drawn first: it is the same whatever the base is
        base = self.base.sample(draws, device)

        def apply(frames: Tensor) -> Tensor:
            weights = to_device(stretched(stretch, frames.shape[1]), device, frames.dtype)
            return torch.einsum("bij,bjchw->bichw", weights, base(frames))

        return apply

    # The base keeps adapting.

    def observe(self, real: Tensors, *, clips: int, total: Callable[[Tensor], Tensor]) -> None:
        self.base.observe(real, clips=clips, total=total)

    def even_out(self, mean: Callable[[Tensor], Tensor]) -> None:
        self.base.even_out(mean)

    def report(self) -> dict[str, Tensor]:
        return self.base.report()


def stretched(factor: Tensor, frames: int) -> Tensor:
    """Weights `[B, frames, frames]` of a clip's frames in each frame of it stretched by `factor` `[B]`."""
    place = torch.arange(frames, dtype=torch.float64) - (frames - 1) / 2  # from the clip's middle
    source = place / factor.double()[:, None]
    return (1 - (source[:, :, None] - place).abs()).clamp(min=0)
