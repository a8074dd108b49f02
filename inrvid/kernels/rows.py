"""Conversion between rows `[N, M, C]` and feature maps `[N, C, H, W]`, and factors of their channels."""

from __future__ import annotations

from torch import Tensor

from .recording import is_recording


def as_rows(x: Tensor) -> Tensor:
    """`[N, C, H, W]` or `[N, M, C]` → contiguous rows `[N, M, C]`; for channels-last memory, a view."""
    return (x.permute(0, 2, 3, 1).flatten(1, 2) if x.ndim == 4 else x).contiguous()


def like(rows: Tensor, x: Tensor) -> Tensor:
    """Rows in the shape of x."""
    return rows.unflatten(1, x.shape[2:]).permute(0, 3, 1, 2) if x.ndim == 4 else rows


def of_samples(scale: Tensor | None, samples: int) -> Tensor | None:
    """Give each sample a row of its own, from a scale that has one row for several consecutive samples."""
    if is_recording() and scale is not None:
        return scale.repeat_interleave(samples // scale.shape[0], dim=0)
    if scale is None or len(scale) == samples:
        return scale
    if samples % max(len(scale), 1):
        raise ValueError(f"scale has {len(scale)} rows for {samples} samples: expected a divisor")
    return scale.repeat_interleave(samples // max(len(scale), 1), dim=0)
