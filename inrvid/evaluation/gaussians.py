"""The Fréchet distance between Gaussians (Dowson & Landau 1982; FID: Heusel et al. 2017, eq. 6).

d² = |μ1 − μ2|² + tr(Σ1 + Σ2 − 2 √(Σ1 Σ2)), in float64. √(Σ1 Σ2) has the trace of √(Σ1^½ Σ2 Σ1^½), whose
argument is symmetric: eigenvalues of symmetric matrices are real and well conditioned, where a general matrix
square root can turn complex or negative.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ..errors import InrvidError


def gaussian(features: Tensor, unbiased: bool) -> tuple[Tensor, Tensor]:
    """Mean `[n]` and covariance `[n, n]` of features `[N, n]`, float64.

    Args:
        unbiased: divide the covariance by N − 1; otherwise by N.

    Raises:
        InrvidError: fewer than two samples, or some that are not finite.
    """
    if features.ndim != 2 or len(features) < 2:
        raise InrvidError(f"a Fréchet distance needs features of at least 2 clips, got {list(features.shape)}")
    features = features.double()
    mean = features.mean(0)
    centred = features - mean
    covariance = centred.T @ centred / (len(features) - int(unbiased))
    if not covariance.isfinite().all():
        raise InrvidError("a Fréchet distance needs finite features: some clips are not made of finite numbers")
    return mean, covariance


def frechet_distance(mean1: Tensor, cov1: Tensor, mean2: Tensor, cov2: Tensor) -> float:
    """Squared Fréchet distance, ≥ 0, of two Gaussians: means `[n]`, covariances `[n, n]`."""
    mean1, cov1, mean2, cov2 = (value.double() for value in (mean1, cov1, mean2, cov2))
    root = _square_root(cov1)
    trace_of_root = _eigenvalues(root @ cov2 @ root).sqrt().sum()
    distance = (mean1 - mean2).square().sum() + cov1.trace() + cov2.trace() - 2 * trace_of_root
    return max(0.0, distance.item())


def frechet_distance_of_few(first: Tensor, second: Tensor, unbiased: bool) -> float:
    """As `frechet_distance` of the Gaussians of features `[N, n]` and `[M, n]`: quicker where N and M are below n.

    With Σ = AᵀA for each of the two, the nonzero eigenvalues of Σ1 Σ2 are those of (A1 A2ᵀ)(A1 A2ᵀ)ᵀ; their square
    roots are the singular values of A1 A2ᵀ `[N, M]`.
    """
    first, second = first.double(), second.double()
    mean1, mean2 = first.mean(0), second.mean(0)
    root1 = (first - mean1) / (len(first) - int(unbiased)) ** 0.5
    root2 = (second - mean2) / (len(second) - int(unbiased)) ** 0.5
    trace_of_root = torch.linalg.svdvals(root1 @ root2.T).sum()
    distance = (mean1 - mean2).square().sum() + root1.square().sum() + root2.square().sum() - 2 * trace_of_root
    return max(0.0, distance.item())


def _square_root(matrix: Tensor) -> Tensor:
    values, vectors = torch.linalg.eigh(matrix)
    return (vectors * values.clamp_min(0).sqrt()) @ vectors.T


def _eigenvalues(matrix: Tensor) -> Tensor:
    """Eigenvalues of a symmetric positive matrix, `[n]`.

    Values that are zero up to rounding are set to zero, lest a rounding error of 1e-16 become 1e-8 under the root.
    """
    values = torch.linalg.eigvalsh((matrix + matrix.T) / 2)
    noise = len(values) * torch.finfo(values.dtype).eps * values.max()
    return torch.where(values > noise, values, 0.0)
