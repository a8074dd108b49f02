"""Distances between two sets of clips, and scores of one, from features alone: plain arrays in, plain numbers out.

Features are `[N, n]`, NumPy arrays or tensors of any number type; everything is computed in float64. Work is done in
blocks of `BLOCK` rows, so that no more than one block is compared at a time.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from typing import NamedTuple, TypeAlias

import numpy as np
import torch
from torch import Tensor

from ..errors import InrvidError
from . import gaussians

Array: TypeAlias = "np.ndarray | Tensor"

BLOCK = 256
"""Rows that are compared with all others at a time."""


class MeanStd(NamedTuple):
    mean: float
    std: float


class PrecisionRecall(NamedTuple):
    precision: float
    recall: float


class Nearest(NamedTuple):
    """For each of M fake samples: its distance `[M]`, float64, and the number `[M]` of the real sample."""

    distances: Tensor
    samples: Tensor


def frechet_distance(real: Array, fake: Array, unbiased: bool = True) -> float:
    """Squared Fréchet distance between the Gaussians that fit two sets of features, ≥ 0; 0 for a set and itself.

    |μ1 − μ2|² + tr(Σ1 + Σ2 − 2 √(Σ1 Σ2)) (Dowson & Landau 1982; FID: Heusel et al. 2017, eq. 6; FVD: Unterthiner et
    al. 2018). It grows as samples become fewer: compare only distances of equally many samples.

    Args:
        real, fake: features `[N, n]`, `[M, n]`.
        unbiased: divide covariances by N − 1 (DIGAN); otherwise by N (StyleGAN-V).

    Raises:
        InrvidError: fewer than two samples, different widths, numbers that are not finite.
    """
    real, fake = _pair(real, fake, least=2)
    if max(len(real), len(fake)) < real.shape[1]:
        return gaussians.frechet_distance_of_few(real, fake, unbiased)
    return gaussians.frechet_distance(*gaussians.gaussian(real, unbiased), *gaussians.gaussian(fake, unbiased))


def kernel_distance(real: Array, fake: Array) -> float:
    """Unbiased squared maximum mean discrepancy with the kernel k(x, y) = (x·y / n + 1)³ (KID: Bińkowski et al. 2018,
    eq. 4; KVD: Unterthiner et al. 2018).

    The means of k within each set, without pairs of a sample with itself, minus twice the mean across the sets. It is 0
    on average if both sets are from one distribution, and so may be slightly negative.

    Args:
        real, fake: features `[N, n]`, `[M, n]`.

    Raises:
        InrvidError: fewer than two samples, different widths, numbers that are not finite.
    """
    real, fake = _pair(real, fake, least=2)
    across = _kernel_sum(real, fake) / (len(real) * len(fake))
    return _mean_within(real) + _mean_within(fake) - 2 * across


def inception_score(probabilities: Array, splits: int = 10) -> MeanStd:
    """exp(E KL(p(y|x) ‖ p(y))), mean and standard deviation over `splits` (Salimans et al. 2016); 1 … classes.

    Splits are runs of consecutive samples, as in the field's code: the order of samples matters, unlike for the
    distances here. If N is not divisible by `splits`, some have one sample more (N·i/splits … N·(i + 1)/splits).

    Args:
        probabilities: of classes, `[N, classes]`, each row ≥ 0 with the sum 1.

    Raises:
        InrvidError: rows that are not probabilities, or fewer rows than splits.
    """
    rows = _features(probabilities, "probabilities", least=1)
    if not 1 <= splits <= len(rows):
        raise InrvidError(f"an inception score in {splits} splits needs as many samples, there are {len(rows)}")
    if rows.min() < 0 or (rows.sum(1) - 1).abs().max() > 1e-3:
        raise InrvidError("an inception score needs probabilities: each row ≥ 0, with the sum 1 (softmax of logits)")
    bounds = [len(rows) * i // splits for i in range(splits + 1)]
    scores = torch.stack([_exp_information(rows[a:b]) for a, b in itertools.pairwise(bounds)])
    return MeanStd(scores.mean().item(), scores.std(correction=0).item())


def precision_recall(real: Array, fake: Array, k: int = 3) -> PrecisionRecall:
    """Improved precision and recall (Kynkäänniemi et al. 2019, eqs. 1–2), 0 … 1 each.

    A set's manifold is the union of balls around its samples that reach to their k-th nearest neighbour in the set, not
    counting the sample itself. Precision: the share of fake samples on the real manifold; recall: of real ones on the
    fake manifold.

    Args:
        real, fake: features `[N, n]`, `[M, n]`.
        k: which neighbour, from 1; 3 in the paper.

    Raises:
        InrvidError: k samples or fewer, different widths, numbers that are not finite.
    """
    if k < 1:
        raise InrvidError(f"precision and recall: k is a neighbour's number, from 1, got {k}")
    real, fake = _pair(real, fake, least=k + 1)
    return PrecisionRecall(_share_inside(fake, real, k), _share_inside(real, fake, k))


def diversity(real: Array, fake: Array) -> float:
    """Mean distance of fake samples from each other, divided by that of real ones, ≥ 0: 1 if they are as diverse, 0 if
    the fake ones are all the same.

    Args:
        real, fake: features `[N, n]`, `[M, n]`.

    Raises:
        InrvidError: fewer than two samples, real ones all the same, different widths, numbers that are not finite.
    """
    real, fake = _pair(real, fake, least=2)
    return _mean_distance(fake) / _of_different(_mean_distance(real))


def memorisation(real: Array, fake: Array) -> float:
    """Mean distance of fake samples from the nearest real one, as `nearest` measures it, ≥ 0: 1 if they are as far away
    as real samples are from each other, 0 if they are copies.

    Args:
        real, fake: features `[N, n]`, `[M, n]`.

    Raises:
        InrvidError: fewer than two samples, real ones all the same, different widths, numbers that are not finite.
    """
    return nearest(real, fake).distances.mean().item()


def nearest(real: Array, fake: Array) -> Nearest:
    """The real sample that is nearest to each fake one; distances are in units of the mean distance of a real sample
    from its nearest other.

    Copies of a real sample do not count as others: a set drawn with replacement has the unit of the samples in it.

    Args:
        real, fake: features `[N, n]`, `[M, n]`.

    Raises:
        InrvidError: as `memorisation`.
    """
    real, fake = _pair(real, fake, least=2)
    distances, samples = (torch.cat(part) for part in zip(*(d.min(1) for d in _distances(fake, real)), strict=True))
    others = torch.cat([block.masked_fill(block == 0, math.inf).amin(1) for block in _distances(real, real)])
    return Nearest(distances / _of_different(others.mean().nan_to_num(posinf=0).item()), samples)


def _features(values: Array, name: str, least: int) -> Tensor:
    """float64 `[N, n]` on the CPU. Raises InrvidError."""
    rows = torch.as_tensor(values).detach().cpu().double()
    if rows.ndim != 2 or rows.shape[1] < 1:
        raise InrvidError(f"{name}: expected an array [N, n], one row a sample, got {list(rows.shape)}")
    if len(rows) < least:
        raise InrvidError(f"{name}: at least {least} samples are needed, got {len(rows)}")
    if not rows.isfinite().all():
        raise InrvidError(f"{name}: some samples are not made of finite numbers")
    return rows


def _pair(real: Array, fake: Array, least: int) -> tuple[Tensor, Tensor]:
    first, second = _features(real, "real features", least), _features(fake, "fake features", least)
    if first.shape[1] != second.shape[1]:
        raise InrvidError(f"features of different widths: {first.shape[1]} real, {second.shape[1]} fake")
    return first, second


def _kernel(x: Tensor, y: Tensor) -> Tensor:
    return (x @ y.T / x.shape[1] + 1) ** 3


def _kernel_sum(x: Tensor, y: Tensor) -> float:
    return sum(_kernel(block, y).sum().item() for block in x.split(BLOCK))


def _mean_within(x: Tensor) -> float:
    """Mean kernel of a set's pairs, without those of a sample with itself."""
    of_itself = ((x.square().sum(1) / x.shape[1] + 1) ** 3).sum().item()
    return (_kernel_sum(x, x) - of_itself) / (len(x) * (len(x) - 1))


def _exp_information(rows: Tensor) -> Tensor:
    """exp of the mean KL divergence of rows `[N, classes]` from their mean; 0 log 0 = 0."""
    divergence = torch.xlogy(rows, rows) - torch.xlogy(rows, rows.mean(0))
    return divergence.sum(1).mean().exp()


def _distances(x: Tensor, y: Tensor) -> Iterator[Tensor]:
    """Euclidean distances of blocks of x to all of y, `[b, M]`.

    Differences are taken before squaring, so that a sample is at exactly 0 from its copy.
    """
    for block in x.split(BLOCK):
        yield torch.cdist(block, y, compute_mode="donot_use_mm_for_euclid_dist")


def _mean_distance(x: Tensor) -> float:
    """Mean distance of a set's pairs."""
    return sum(block.sum().item() for block in _distances(x, x)) / (len(x) * (len(x) - 1))


def _of_different(distance: float) -> float:
    """A distance to divide by. Raises InrvidError if it is 0."""
    if distance == 0:
        raise InrvidError("real features are all the same: there is no distance between them to compare with")
    return distance


def _share_inside(samples: Tensor, of: Tensor, k: int) -> float:
    """Share of the samples that lie on the manifold of a set."""
    # The smallest distance is that of a sample to itself (or to a copy of it, at 0 as well).
    radii = torch.cat([block.kthvalue(k + 1, dim=1).values for block in _distances(of, of)])
    inside = [(block <= radii).any(1) for block in _distances(samples, of)]
    return torch.cat(inside).double().mean().item()
