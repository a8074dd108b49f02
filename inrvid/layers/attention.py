"""Scaled dot-product attention: xformers' memory-efficient kernels where they exist, else PyTorch's own."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor


def attend(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """softmax(q·kᵀ/√d)·v: query `[N, heads, n, d]`, key and value `[N, heads, m, d]` → `[N, heads, n, d]`."""
    efficient = _xformers() if query.is_cuda and query.dtype != torch.float64 else None
    if efficient is None:
        return F.scaled_dot_product_attention(query, key, value)
    # xformers takes [N, n, heads, d]
    return efficient(query.transpose(1, 2), key.transpose(1, 2), value.transpose(1, 2)).transpose(1, 2)


@functools.cache
def _xformers() -> Callable[..., Any] | None:
    try:
        from xformers.ops import memory_efficient_attention
    except ImportError:
        return None
    return memory_efficient_attention
