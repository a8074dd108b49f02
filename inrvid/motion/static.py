"""No motion: INR-GAN and StyleGAN2 as the image models that they came from."""

from __future__ import annotations

from torch import Tensor

from ..config import PartConfig
from ..random import Draws
from .base import Motion, MotionHead


class StaticMotion(Motion[Tensor, Tensor]):
    """No motion: turns a video generator into the image generator it came from."""

    class Config(PartConfig):
        pass

    def sample_noise(self, draws: Draws) -> Tensor:
        return draws.normal(0)

    def head(self, width: int, w_dim: int) -> MotionHead[Tensor]:
        return StaticHead()

    def forward(self, noise: Tensor, label: Tensor, t: Tensor) -> Tensor:
        return t


class StaticHead(MotionHead[Tensor]):
    width = 0

    def forward(self, state: Tensor, w: Tensor) -> Tensor:
        return w.new_empty(*state.shape, 0)
