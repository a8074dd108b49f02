"""Motion codes by windowed self-attention over the same noises as `conv1d`, with the same finite reach.

In each of two unpadded layers, a position attends to the `kernel` positions around it, so that code i sees the noises
i … i + 2(kernel − 1), wherever it lies on the time axis.
"""

from __future__ import annotations

from typing import Annotated

import torch
import torch.nn.functional as F
from pydantic import Field, model_validator
from torch import Tensor, nn
from typing_extensions import Self

from ..config import MOST, Count
from ..layers.activation import SLOPE
from ..layers.attention import attend
from ..layers.linear import EqLinear
from .codes import CodeNetwork, CodesMotion


class WindowAttention(nn.Module):
    """`[N, n, dim]` → `[N, n − kernel + 1, dim]`: the middle of each window attends to the whole window.

    Positions within the window are told apart by a learned embedding, which is added to the window first.
    """

    def __init__(self, dim: int, kernel: int, heads: int):
        super().__init__()
        self.kernel, self.heads = kernel, heads
        self.position = nn.Parameter(torch.randn(kernel, dim))
        self.query, self.key, self.value, self.out = (EqLinear(dim, dim) for _ in range(4))

    def forward(self, x: Tensor) -> Tensor:
        windows = x.unfold(1, self.kernel, 1).mT + self.position  # [N, n', kernel, dim]
        query = self.query(windows[:, :, self.kernel // 2 : self.kernel // 2 + 1])
        heads = (self._heads(part) for part in (query, self.key(windows), self.value(windows)))
        answer = attend(*heads).transpose(1, 2).flatten(2).view(*windows.shape[:2], -1)
        return F.leaky_relu(windows[:, :, self.kernel // 2] + self.out(answer), SLOPE)

    def _heads(self, x: Tensor) -> Tensor:
        """`[N, n', k, dim]` → `[N·n', heads, k, dim/heads]`."""
        return x.flatten(0, 1).unflatten(2, (self.heads, -1)).transpose(1, 2)


class AttentionCodes(CodeNetwork):
    def __init__(self, config: AttentionMotion.Config, *, z_dim: int, label_dim: int):
        super().__init__()
        self.reach = 2 * config.kernel - 1
        self.layers = nn.Sequential(
            EqLinear(z_dim + label_dim, config.code_dim),
            WindowAttention(config.code_dim, config.kernel, config.heads),
            WindowAttention(config.code_dim, config.kernel, config.heads),
        )

    def forward(self, noise: Tensor) -> Tensor:
        return self.layers(noise)


class AttentionMotion(CodesMotion):
    """Motion codes by windowed self-attention over noise, acyclic positional encoding between them.

        y_i = lrelu(x_m + W_o Σ_j softmax_j(q(x_m)·k(x_j) / √d) v(x_j))

    The x_j are the `kernel` inputs around position i, each with a learned embedding of its position in this window
    added; x_m is the middle one. Two such layers turn noises into codes, between which v(t) is that of `conv1d`.
    """

    class Config(CodesMotion.Config):
        kernel: Annotated[int, Field(ge=1, le=MOST)] = Field(11, description="window of each of the two layers, codes")
        heads: Count = Field(4, description="attention heads, which divide code_dim among them")

        @model_validator(mode="after")
        def _heads_divide(self) -> Self:
            if self.code_dim % self.heads:
                raise ValueError(f"heads {self.heads} do not divide code_dim {self.code_dim}")
            return self

    network_class = AttentionCodes
