"""Band-limited functions of a grid's axis, from their values at few Chebyshev nodes.

A sum of waves exp(iωu), |ω| ≤ Ω, on u ∈ [−1, 1] is interpolated at N Chebyshev nodes with an error of about
4·J_N(Ω) ≤ 4·(Ω/2)^N/N! (Trefethen, Approximation Theory and Approximation Practice, ch. 8): it vanishes faster than
exponentially once N exceeds Ω.
"""

from __future__ import annotations

import functools
import math

import torch
from torch import Tensor

TOLERANCE = 2e-8
"""Bound on J_N(Ω): far below float32's rounding of the sums that are interpolated."""


def node_count(bandwidth: float, most: int) -> int:
    """Nodes that waves of up to `bandwidth` radians a unit of u need, a multiple of 4; `most` if that is fewer."""
    if not bandwidth < 2 * most:  # nor NaN; fewer nodes than half the bandwidth are too few
        return most
    count, target = 4, math.log(TOLERANCE)
    while count < most and count * math.log(max(bandwidth, 1e-9) / 2) - math.lgamma(count + 1) > target:
        count += 4
    return min(count, most)


@functools.lru_cache(maxsize=64)
def interpolation(points: int, nodes: int, dtype: torch.dtype = torch.float32) -> tuple[Tensor, Tensor | None]:
    """(positions `[nodes]` in units of points 0 … points − 1, matrix `[points, nodes]` from nodes to points).

    Barycentric formula of the second kind (ibid., ch. 5), in float64. With as many nodes as points, the nodes are the
    points, and there is no matrix.
    """
    if nodes >= points:
        return torch.arange(points, dtype=dtype, device="cpu"), None
    angle = (torch.arange(nodes, dtype=torch.float64, device="cpu") + 0.5) * (math.pi / nodes)
    u = angle.cos()
    weight = angle.sin()
    weight[1::2] *= -1
    grid = torch.linspace(-1, 1, points, dtype=torch.float64, device="cpu")
    distance = grid[:, None] - u
    hit = distance.abs() < 1e-14
    terms = weight / torch.where(hit, torch.ones_like(distance), distance)
    matrix = torch.where(hit.any(dim=1, keepdim=True), hit.double(), terms)
    matrix = matrix / matrix.sum(dim=1, keepdim=True)
    return ((u + 1) * ((points - 1) / 2)).to(dtype), matrix.to(dtype)
