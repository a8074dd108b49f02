"""A video as a function of time and space."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from ..errors import InrvidError
from ..grid import Grid
from ..latents import one_of
from ..layers.precision import without_autocast
from ..motion.noise import ExplicitNoise, NoiseSequence

if TYPE_CHECKING:
    from .base import VideoGenerator


Noise = Tensor | NoiseSequence

FRAMES_AT_ONCE = 16
"""Frames that `VideoINR.stream` evaluates together."""


def times_of(t: Tensor | float, device: torch.device | None = None) -> Tensor:
    """Times as a tensor of at least one dimension; integers, and times that are not a tensor, become float64, which
    represents them exactly."""
    t = t if isinstance(t, Tensor) else torch.as_tensor(t, dtype=torch.float64)
    t = t.to(device=device, dtype=t.dtype if t.is_floating_point() else torch.float64)
    return t.reshape(1) if t.ndim == 0 else t


class VideoINR:
    """φ of B videos, and the network structure that evaluates it: `inr(t, grid) → frames`.

    φ is a flat mapping of tensors `[B, …]` (modulated matrices, coordinate frequencies, styles). It is computed
    once, by `VideoGenerator.inr`; evaluating more frames, other times or other grids computes none of it again. (For
    StyleGAN2, φ holds the styles, which are small; each call scales the weights by them, for all of its frames.)
    """

    def __init__(self, generator: VideoGenerator, phi: Mapping[str, Tensor], noise: Noise, label: Tensor):
        self.generator, self.phi, self.noise, self.label = generator, dict(phi), noise, label

    @without_autocast
    def __call__(self, t: Tensor | float, grid: Grid | None = None) -> Tensor:
        """Frames `[B, T, 3, H, W]`, nominally in [−1, 1], but not clamped.

        Args:
            t: `[B, T]`, `[T]` (the same times for all videos) or a number, in frames at the model's rate; may be
                fractional, negative or beyond the clip that the model was trained on.
            grid: points of the plane; default: the model's own resolution and region.

        Raises:
            InrvidError: if `t` has another batch size, or the generator cannot evaluate that grid.
        """
        t = times_of(t, self.label.device)
        t = t.expand(len(self), -1) if t.ndim == 1 else t
        if t.ndim != 2 or t.shape[0] != len(self) or not t.numel():
            raise InrvidError(f"t has shape {tuple(t.shape)}; expected [{len(self)}, T] or [T], with at least one time")
        grid = Grid.of(self.generator.resolution if grid is None else grid)
        state = self.generator.motion(self.noise, self.label, t)
        return self.generator.render(self.phi, state, t, grid)

    def stream(self, t: Tensor, grid: Grid | None = None) -> Iterator[Tensor]:
        """The frames of `inr(t, grid)` a few at a time, `[B, n, 3, H, W]`: memory does not grow with the video."""
        t = times_of(t)
        for some in t.split(FRAMES_AT_ONCE, dim=-1):
            yield self(some, grid)

    def __len__(self) -> int:
        return self.label.shape[0]

    def __bool__(self) -> bool:
        """True, without reading the label: PyTorch 2.11's compiler asks before the label exists."""
        return True

    def __getitem__(self, index: int | slice | list[int] | Tensor) -> VideoINR:
        """Some of the videos; an integer keeps the batch dimension."""
        index = one_of(index, len(self)) if isinstance(index, int) else index
        phi = {name: value[index] for name, value in self.phi.items()}
        return VideoINR(self.generator, phi, self.noise[index], self.label[index])

    def __repr__(self) -> str:
        return (
            f"VideoINR of {len(self)} video(s), {sum(v[0].numel() for v in self.phi.values()) / 1e6:.2f} M numbers each"
        )

    def lerp(self, other: VideoINR, weight: float) -> VideoINR:
        """φ + weight·(φ_other − φ), the interpolation of INR weights (DIGAN §4.2)."""
        phi = {name: value.lerp(other.phi[name], weight) for name, value in self.phi.items()}
        noises: list[Any] = [self.noise, other.noise]
        if isinstance(noises[0], Tensor) != isinstance(noises[1], Tensor):  # one was given as a tensor of values
            noises = [ExplicitNoise(noise) if isinstance(noise, Tensor) else noise for noise in noises]
        return VideoINR(self.generator, phi, noises[0].lerp(noises[1], weight), self.label.lerp(other.label, weight))

    def to(self, *args, **kwargs) -> VideoINR:
        """φ on another device or in another precision; the generator's shared parameters must be there too."""
        phi = {name: value.to(*args, **kwargs) for name, value in self.phi.items()}
        return VideoINR(self.generator, phi, self.noise.to(*args, **kwargs), self.label.to(*args, **kwargs))
