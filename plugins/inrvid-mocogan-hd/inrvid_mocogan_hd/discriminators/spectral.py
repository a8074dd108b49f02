"""Layers whose weight is divided by its largest singular value (Miyato et al., ICLR 2018).

σ = uᵀ·W·v, W as `[out, rest]`; each call in training mode takes a step of the power iteration, v ← Wᵀu/‖·‖ and then
u ← Wv/‖·‖, from a random start. (PyTorch's own takes the steps in the other order, and 15 before the first call.)
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

EPSILON = 1e-12


class _Spectral(nn.Module):
    """Of a layer with a weight."""

    weight: nn.Parameter
    u: Tensor
    v: Tensor

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        nn.init.orthogonal_(self.weight)
        rows, columns = self.weight.flatten(1).shape
        self.register_buffer("u", F.normalize(torch.randn(rows), dim=0, eps=EPSILON))
        self.register_buffer("v", F.normalize(torch.randn(columns), dim=0, eps=EPSILON))

    def normalised(self) -> Tensor:
        matrix = self.weight.flatten(1)
        if self.training:
            with torch.no_grad():
                self.v.copy_(F.normalize(matrix.mT @ self.u, dim=0, eps=EPSILON))
                self.u.copy_(F.normalize(matrix @ self.v, dim=0, eps=EPSILON))
        # Copies: a second call changes them before the first one's gradient is asked for.
        return self.weight / (self.u.clone() @ (matrix @ self.v.clone()))


class SpectralConv2d(_Spectral, nn.Conv2d):
    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(x, self.normalised(), self.bias, padding=self.padding)


class SpectralLinear(_Spectral, nn.Linear):
    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, self.normalised(), self.bias)
