"""Directions from a generator's own weights (Shen and Zhou, "Closed-Form Factorization of Latent Semantics in GANs",
CVPR 2021).

A style w enters the backbone through affine layers alone. With A their stacked matrices, a step n changes the layers'
modulation by A·n: the directions of the largest change ‖A·n‖ are eigenvectors of AᵀA. How the length of a step is
measured decides which those are:

- `unit` (the paper): ‖n‖ = 1, all directions of w are equal. A strength of 1 is one standard deviation of w along n.
- `spread`: nᵀC⁻¹n = 1, with C the covariance of w: a strength of 1 is one standard deviation of the styles that occur,
  in every direction, and AᵀA is replaced by LᵀAᵀA·L with C = L·Lᵀ, n = L·m. Directions in which styles hardly
  differ do not come first, however much they would change.
"""

from __future__ import annotations

from typing import Literal, get_args

import torch
from torch import Tensor

from ...errors import InrvidError
from ...generators.base import VideoGenerator
from .directions import Direction, observed_styles

Length = Literal["spread", "unit"]
LENGTHS: tuple[Length, ...] = get_args(Length)


@torch.no_grad()
def closed_form(generator: VideoGenerator, count: int = 5, length: Length = "spread") -> list[Direction]:
    """The `count` directions of the largest change, largest first, named style_1, style_2, ….

    Example:
        first, second = closed_form(generator, 2)

    Raises:
        InrvidError: more directions than w is wide; a generator that does not say where styles enter.
    """
    matrix = generator.style_weights().double()
    if not 1 <= count <= matrix.shape[1]:
        raise InrvidError(f"{count} directions: this model has 1 to {matrix.shape[1]} (the width of its w)")
    styles = observed_styles(generator).double()
    root = _root(torch.cov(styles.mT)) if length == "spread" else torch.eye(matrix.shape[1]).to(matrix)
    changes, steps = torch.linalg.eigh(root.mT @ matrix.mT @ matrix @ root)
    vectors = (root @ steps).mT.flip(0)[:count]  # eigenvalues come in ascending order
    if length == "unit":
        vectors = vectors * (styles @ vectors.mT).std(dim=0)[:, None]
    parts = (changes / changes.sum()).flip(0)
    return [
        Direction(
            f"style_{i + 1}", _signed(vector)[None].float(), f"closed form ({length}), {parts[i]:.1%} of the change"
        )
        for i, vector in enumerate(vectors)
    ]


def _root(covariance: Tensor) -> Tensor:
    """The symmetric L with L·L = C, even if rounding has made C a little less than positive."""
    values, vectors = torch.linalg.eigh(covariance)
    return vectors * values.clamp(min=0).sqrt() @ vectors.mT


def _signed(vector: Tensor) -> Tensor:
    """An eigenvector's sign is arbitrary: choose the one that makes its largest number positive, on every machine."""
    return vector * vector[vector.abs().argmax()].sign()
