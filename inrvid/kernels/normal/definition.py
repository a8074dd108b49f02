"""Philox in integers of 64 bits, which hold the products of its words."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

MASK = 0xFFFFFFFF

ROUNDS = 10


def normal(keys: Tensor, index: Tensor, width: int) -> Tensor:
    """index `[B, M]` → `[B, M, width]`."""
    blocks = torch.arange(-(-width // 4), device=index.device)
    shape = (*index.shape, len(blocks))
    seed_low, seed_high, step, sample = (word[:, None, None].expand(shape) for word in keys.unbind(1))
    index = (index & MASK)[..., None].expand(shape)
    words = philox([blocks.expand(shape), index, step, sample], [seed_low, seed_high])
    return gaussian(words).flatten(-2)[..., :width].contiguous()


def philox(counter: Sequence[Tensor], key: Sequence[Tensor]) -> Tensor:
    """Philox 4×32-10 of 32-bit words held in int64: counter 4 × `[…]`, key 2 × `[…]` → `[…, 4]`."""
    c0, c1, c2, c3 = counter
    k0, k1 = key
    for _ in range(ROUNDS):
        first, second = _product(c0, 0xD2511F53), _product(c2, 0xCD9E8D57)
        c0, c1, c2, c3 = second[0] ^ c1 ^ k0, second[1], first[0] ^ c3 ^ k1, first[1]
        k0, k1 = (k0 + 0x9E3779B9) & MASK, (k1 + 0xBB67AE85) & MASK
    return torch.stack([c0, c1, c2, c3], dim=-1)


def _product(a: Tensor, b: int) -> tuple[Tensor, Tensor]:
    """High and low word of a 32 × 32-bit product; its top bit may land in int64's sign, which the mask removes."""
    product = a * b
    return (product >> 32) & MASK, product & MASK


def gaussian(words: Tensor) -> Tensor:
    """Box and Muller's transform of pairs of 32-bit words, float32 `[…, 4]`."""
    uniform = (words.double() + 0.5) / 2**32  # (0, 1): never 0, so that the logarithm is finite
    radius = (-2 * uniform[..., 0::2].log()).sqrt()
    angle = 2 * math.pi * uniform[..., 1::2]
    return torch.cat([radius * angle.cos(), radius * angle.sin()], dim=-1).float()
