"""Mapping networks: latent and label → style w."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn

from .linear import EqLinear

LR_MULT = 0.01


def normalize_second_moment(x: Tensor) -> Tensor:
    """Scale each row to mean square 1."""
    return x * (x.square().mean(dim=-1, keepdim=True) + 1e-8).rsqrt()


class MappingNetwork(nn.Module):
    """(z, label) → w (StyleGAN2, CVPR 2020; DIGAN, ICLR 2022).

    Args:
        z_dim: width of z; 0: the label alone is mapped (as in a discriminator).
        label_dim: number of classes (or width of another embedding's input); 0: none.
        layers: number of fully connected layers.
        average: keep the running mean of w that truncation needs.
    """

    w_average: Tensor | None
    AVERAGE_DECAY = 0.995

    def __init__(self, z_dim: int, label_dim: int, w_dim: int, *, layers: int, average: bool = True):
        super().__init__()
        self.embed = EqLinear(label_dim, w_dim) if label_dim else None
        widths = [z_dim + (w_dim if label_dim else 0), *[w_dim] * layers]
        self.layers = nn.Sequential(
            *(EqLinear(a, b, lr_mult=LR_MULT, activate=True) for a, b in itertools.pairwise(widths))
        )
        self.register_buffer("w_average", torch.zeros(w_dim) if average else None)
        self._deferred: list[Tensor] | None = None

    def forward(self, z: Tensor | None, label: Tensor, truncation: float = 1.0) -> Tensor:
        """z `[B, z_dim]`, label `[B, label_dim]` → w `[B, w_dim]`.

        `truncation` ψ moves w towards its running mean: w ← w̄ + ψ·(w − w̄). In training mode the mean is updated.
        """
        parts = [] if z is None else [normalize_second_moment(z)]
        if self.embed is not None:
            parts.append(normalize_second_moment(self.embed(label)))
        w = self.layers(torch.cat(parts, dim=1))
        if self.w_average is not None:
            if self.training:
                self._observe(w.detach().mean(dim=0).to(self.w_average.dtype))
            if truncation != 1:
                w = self.w_average.lerp(w, truncation)
        return w

    def _observe(self, mean: Tensor) -> None:
        if self._deferred is not None:
            self._deferred.append(mean)
        elif self.w_average is not None:
            self.w_average.lerp_(mean, 1 - self.AVERAGE_DECAY)

    @contextlib.contextmanager
    def one_average(self, mean_of_all: Callable[[Tensor], Tensor]) -> Iterator[None]:
        """Within this context, all calls count as one for the running mean of w: micro-batches, on all processes.

        Args:
            mean_of_all: averages a tensor over processes.
        """
        self._deferred = []
        try:
            yield
            means, self._deferred = self._deferred, None
            if means:
                self._observe(mean_of_all(torch.stack(means).mean(dim=0)))
        finally:
            self._deferred = None
