"""The principal axes of W (MoCoGAN-HD, ICLR 2021, §3.1): the directions in which styles differ most.

Exact, in one pass: the mean and the covariance of all samples, in float64, some samples at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

from inrvid.plugins import SampleKey, SeededNoise

CHUNK = 4000
"""Samples at a time."""


def principal_axes(samples: Iterator[Tensor]) -> Tensor:
    """Samples, `[n, d]` at a time → `[d, d]`: axes as rows, by falling variance, each as long as its deviation (divisor
    N − 1). Signs are arbitrary."""
    count, total, products = 0, torch.zeros(()), torch.zeros(())
    origin: Tensor | None = None
    for some in samples:
        # Near the mean, sums of squares keep their digits.
        origin = some.double().mean(dim=0) if origin is None else origin
        shifted = some.double() - origin
        count += len(some)
        total, products = total.to(shifted) + shifted.sum(dim=0), products.to(shifted) + shifted.mT @ shifted
    covariance = (products - torch.outer(total, total) / count) / (count - 1)
    variances, axes = torch.linalg.eigh(covariance)
    return (axes * variances.clamp(min=0).sqrt()).mT.flip(0).float()


def styles(
    mapping: Callable[[Tensor, Tensor], Tensor],
    *,
    z_dim: int,
    label_dim: int,
    count: int,
    seed: int,
    device: torch.device,
) -> Iterator[Tensor]:
    """w of `count` latents, some at a time, with classes in turn; sample i is a function of (seed, i)."""
    noise = SeededNoise.of_keys([SampleKey(seed, 0, 0)], "principal axes", z_dim).to(device)
    for start in range(0, count, CHUNK):
        index = torch.arange(start, min(start + CHUNK, count), device=device)
        label = F.one_hot(index % label_dim, label_dim).float() if label_dim else noise.at(index[None])[0, :, :0]
        yield mapping(noise.at(index[None])[0], label)
