"""Batches of matrices on a CPU: how many of them are handled together, their products and sums.

Small ones are handled together, as a step's own cost outweighs its work; large ones come in parts that stay in the
cache from one step to the next.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor


def parts(count: int, size: int, budget: int) -> Iterator[slice]:
    """Slices of `count` things of `size` numbers each: as many things at a time as make up `budget`, at least one."""
    step = max(1, budget // max(size, 1))
    return (slice(i, min(i + step, count)) for i in range(0, count, step))


def pieces(videos: int, rows: int, width: int, budget: int) -> Iterator[tuple[slice, slice]]:
    """(videos, rows) of about `budget` numbers: several videos, or some rows, each of `width` numbers, of one."""
    for some in parts(videos, rows * width, budget):
        for those in parts(rows, width, budget):
            yield some, those


def multiply(x: Tensor, matrix: Tensor, bias: Tensor | None, out: Tensor) -> None:
    """out `[B, M, N]` ← x `[B, M, K]` times matrix `[B, K, N]`, plus bias `[N]`."""
    if bias is None:
        torch.bmm(x, matrix, out=out)
    else:
        torch.baddbmm(bias, x, matrix, out=out)


def add_products(out: Tensor, x: Tensor, matrix: Tensor) -> None:
    """out `[B, M, N]` += x `[B, M, K]` times matrix `[B, K, N]`; out may be of higher precision."""
    if out.dtype == x.dtype:
        out.baddbmm_(x, matrix)
    elif len(out) == 1:  # read where they lie; a batched product copies a transposed factor, number by number
        out[0] += x[0] @ matrix[0]
    else:
        out += x @ matrix


def sum_of_rows(x: Tensor, dim: int, dtype: torch.dtype | None = None) -> Tensor:
    """x, contiguous, summed over its axis `dim`, which is not the last, in `dtype`, or its own.

    First in parts that lie one after the other. The cores share these as they shared the rows when they wrote them;
    columns, as PyTorch shares them, they would have to fetch from each other's caches, which took up to ten times as
    long where those have no common one.
    """
    in_parts = x.unflatten(dim, (math.gcd(x.shape[dim], PARTS), -1)).sum(dim=dim + 1, dtype=dtype)
    return in_parts.sum(dim=dim)


PARTS = 16
"""Of a sum over rows, at most: their number must be a divisor of that of the rows."""
