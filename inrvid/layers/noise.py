"""Instance noise: noise that a discriminator adds to what its layers take in (Sønderby et al., ICLR 2017; MoCoGAN).

Randomness comes from outside: the code that judges clips in training gives a seed per clip (`instance_noise`), so that
a clip's noise depends neither on its batch nor on the process, and two calls within see the same noise. Outside
`instance_noise`, there is no noise.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor, nn

STRIDE = 1_000_003
"""Difference between the seeds of successive layers, for one clip."""


class InstanceNoise(nn.Module):
    """`[N, …]` → x + σ·N(0, 1) within `instance_noise`, x elsewhere; N is a multiple of the clips, a clip's rows
    adjacent."""

    def __init__(self, sigma: float):
        super().__init__()
        self.sigma = sigma
        self._seeds: Sequence[int] = ()

    def forward(self, x: Tensor) -> Tensor:
        if not self._seeds or not self.sigma:
            return x
        rows = x.shape[0] // len(self._seeds)
        noise = [_normal(x[:rows], seed) for seed in self._seeds]
        return x + self.sigma * torch.cat(noise)


@contextlib.contextmanager
def instance_noise(module: nn.Module, seeds: Callable[[], Sequence[int]]) -> Iterator[None]:
    """Within this context, the layers of `module` that add noise add that of these clips.

    Args:
        seeds: returns a number in 0 … 2⁶³ − 1 per clip; called only if there is such a layer.
    """
    layers = [layer for layer in module.modules() if isinstance(layer, InstanceNoise) and layer.sigma]
    own = list(seeds()) if layers else []
    try:
        for place, layer in enumerate(layers):
            layer._seeds = [(seed + STRIDE * place) % 2**63 for seed in own]
        yield
    finally:
        for layer in layers:
            layer._seeds = ()


def _normal(like: Tensor, seed: int) -> Tensor:
    generator = torch.Generator(like.device).manual_seed(seed)
    return torch.randn(like.shape, generator=generator, device=like.device, dtype=like.dtype)
