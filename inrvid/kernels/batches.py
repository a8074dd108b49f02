"""Work on many matrices at once, cut to what a CPU's cache holds.

A step on a small matrix costs more to start than to do, so that small matrices are handled together. A large one is
handled in parts, so that the next step finds in the cache what the last one wrote.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor


def parts(count: int, size: int, budget: int) -> Iterator[slice]:
    """Cut `count` things of `size` numbers each into slices of at most `budget` numbers, but of at least one thing."""
    step = max(1, budget // max(size, 1))
    return (slice(i, min(i + step, count)) for i in range(0, count, step))


def pieces(videos: int, rows: int, width: int, budget: int) -> Iterator[tuple[slice, slice]]:
    """Cut `[videos, rows, width]` into pairs (videos, rows) of at most `budget` numbers, but of at least one row.

    A pair is several whole videos, or some rows of one video.
    """
    for some in parts(videos, rows * width, budget):
        for those in parts(rows, width, budget):
            yield some, those


def multiply(x: Tensor, matrix: Tensor, bias: Tensor | None, out: Tensor) -> None:
    """Write x `[B, M, K]` times matrix `[B, K, N]`, plus bias `[N]`, into out `[B, M, N]`."""
    if bias is None:
        torch.bmm(x, matrix, out=out)
    else:
        torch.baddbmm(bias, x, matrix, out=out)


def add_products(out: Tensor, x: Tensor, matrix: Tensor) -> None:
    """Add x `[B, M, K]` times matrix `[B, K, N]` to out `[B, M, N]`, which may be of higher precision."""
    if out.dtype == x.dtype:
        out.baddbmm_(x, matrix)
    elif len(out) == 1:  # a plain product reads a transposed factor in place; a batched one copies it, slowly
        out[0] += x[0] @ matrix[0]
    else:
        out += x @ matrix


def sum_of_rows(x: Tensor, dim: int, dtype: torch.dtype | None = None) -> Tensor:
    """Sum a contiguous x over its axis `dim`, which is not the last.

    The sum is made in parts of consecutive rows, which are then added. Each core thus reads the rows that it is likely
    to have written. PyTorch's own sum gives each core some columns of all rows, which it must fetch from the caches of
    the others: up to ten times slower on processors whose cores share no cache.

    Args:
        dtype: of the sums and the result; x's own by default.
    """
    in_parts = x.unflatten(dim, (math.gcd(x.shape[dim], PARTS), -1)).sum(dim=dim + 1, dtype=dtype)
    return in_parts.sum(dim=dim)


PARTS = 16
"""The most parts of a sum over rows. The number of parts divides the number of rows."""
