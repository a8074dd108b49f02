"""How alike two pictures are: PSNR, and SSIM (Wang et al., IEEE TIP 2004), as the tables of predictions have them."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F

from ..errors import InrvidError

WINDOW, SIGMA = 11, 1.5
K1, K2 = 0.01, 0.03
"""The paper's: window of a Gaussian in pixels, its σ, and the constants that keep quotients finite."""

HIGHEST = 100.0
"""dB, for pictures that differ by less than that, or not at all."""


def psnr(pictures: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Peak signal-to-noise ratio in dB, float64 `[N]`, of uint8 `[N, H, W, 3]`; at most `HIGHEST`."""
    errors = np.square(pictures.astype(np.float64) / 255 - others.astype(np.float64) / 255).mean(axis=(1, 2, 3))
    return -10 * np.log10(np.maximum(errors, 10 ** (-HIGHEST / 10)))


def ssim(pictures: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Structural similarity, float64 `[N]`, of uint8 `[N, H, W, 3]`: the mean over red, green and blue, and over all
    places where the window is within the picture.

    Raises:
        InrvidError: a side is shorter than the window.
    """
    if min(pictures.shape[1:3]) < WINDOW:
        height, width = pictures.shape[1:3]
        raise InrvidError(f"SSIM: pictures of {height}x{width} are smaller than its window, {WINDOW}x{WINDOW}")
    return np.array([_ssim(a, b) for a, b in zip(pictures, others, strict=True)])


def _ssim(picture: np.ndarray, other: np.ndarray) -> float:
    x, y = (torch.from_numpy(p.astype(np.float64)).movedim(2, 0)[:, None] / 255 for p in (picture, other))
    mean_x, mean_y, square_x, square_y, product = (_blurred(v) for v in (x, y, x * x, y * y, x * y))
    variance_x, variance_y, covariance = square_x - mean_x**2, square_y - mean_y**2, product - mean_x * mean_y
    c1, c2 = K1**2, K2**2  # for pictures from 0 to 1
    luminance = (2 * mean_x * mean_y + c1) / (mean_x**2 + mean_y**2 + c1)
    return float((luminance * (2 * covariance + c2) / (variance_x + variance_y + c2)).mean())


def _blurred(x: torch.Tensor) -> torch.Tensor:
    """`[3, 1, H, W]` → means over neighbours weighted by a Gaussian, without the edges."""
    place = torch.arange(WINDOW, dtype=x.dtype) - WINDOW // 2
    bell = torch.exp(-(place**2) / (2 * SIGMA**2))
    bell = bell / bell.sum()
    return F.conv2d(F.conv2d(x, bell.view(1, 1, 1, -1)), bell.view(1, 1, -1, 1))
