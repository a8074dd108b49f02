"""Layers whose weight is divided by its largest singular value (Miyato et al., ICLR 2018).

σ = uᵀ·W·v, W as `[out, rest]`; each call in training mode takes a step of the power iteration, v ← Wᵀu/‖·‖ and then
u ← Wv/‖·‖, from a random start. (PyTorch's own takes them in the other order.)
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

EPSILON = 1e-12
STEPS = 15
"""Before the first call, so that evaluation makes sense before training does (the release takes none)."""


class Spectral(nn.Module):
    """The singular vectors of a weight, and the weight divided by its singular value."""

    u: Tensor
    v: Tensor

    def __init__(self, weight: Tensor):
        super().__init__()
        rows, columns = weight.flatten(1).shape
        self.register_buffer("u", F.normalize(torch.randn(rows), dim=0, eps=EPSILON))
        self.register_buffer("v", F.normalize(torch.randn(columns), dim=0, eps=EPSILON))
        for _ in range(0 if weight.is_meta else STEPS):  # without memory they would find nothing, in seconds
            self._turn(weight.flatten(1))

    def forward(self, weight: Tensor) -> Tensor:
        matrix = weight.flatten(1)
        if self.training:
            self._turn(matrix)
        # Copies: a second call changes them before the first one's gradient is computed.
        return weight / (self.u.clone() @ (matrix @ self.v.clone()))

    @torch.no_grad()
    def _turn(self, matrix: Tensor) -> None:
        self.v.copy_(F.normalize(matrix.mT @ self.u, dim=0, eps=EPSILON))
        self.u.copy_(F.normalize(matrix @ self.v, dim=0, eps=EPSILON))


class SpectralConv2d(nn.Conv2d):
    def __init__(self, in_channels: int, out_channels: int, size: int):
        super().__init__(in_channels, out_channels, size, padding=size // 2)
        nn.init.orthogonal_(self.weight)
        self.spectral = Spectral(self.weight)

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(x, self.spectral(self.weight), self.bias, padding=self.padding)


class SpectralLinear(nn.Linear):
    def __init__(self, in_features: int, out_features: int):
        super().__init__(in_features, out_features)
        nn.init.orthogonal_(self.weight)
        self.spectral = Spectral(self.weight)

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, self.spectral(self.weight), self.bias)
