"""The contrastive loss of two views of pictures (MoCo, CVPR 2020; MoCoGAN-HD, ICLR 2021, §3.3)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

EPSILON = 1e-8


def contrastive(first: Tensor, second: Tensor, queue: Tensor, temperature: float) -> Tensor:
    """Projections of two views of the same pictures, `[B, l]` each, among those of others, `[Q, l]` → a scalar.

    Cross-entropy of finding the other view by cosine similarity over temperature. A view's similarity with itself
    counts as 0 (release), not as −∞.
    """
    views = F.normalize(torch.cat([first, second]), dim=1, eps=EPSILON)
    count = len(views)
    similarity = views @ torch.cat([views, F.normalize(queue, dim=1, eps=EPSILON)]).mT / temperature  # [2B, 2B + Q]
    itself = torch.eye(*similarity.shape, dtype=torch.bool, device=similarity.device)
    other = torch.arange(count, device=similarity.device).roll(count // 2)
    return F.cross_entropy(similarity.masked_fill(itself, 0.0), other)


def match(first: Tensor, second: Tensor) -> Tensor:
    """−mean cosine of the rows `[…, l]`."""
    return -F.cosine_similarity(first, second, dim=-1, eps=EPSILON).mean()
