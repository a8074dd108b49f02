"""Random amplification of frequency bands (StyleGAN2-ADA, appendix B)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from ..errors import InrvidError
from ..transfer import to_device
from .warp import SYM2

BANDS = 4
POWER = torch.tensor([10.0, 1.0, 1.0, 1.0]) / 13
"""Expected power of the bands in natural pictures, the lowest first."""


def filter_bank() -> Tensor:
    """Impulse responses of the four bands, `[4, taps]`; they sum to the identity."""
    low = torch.tensor(SYM2, dtype=torch.float64)
    high = low * (-1.0) ** torch.arange(len(low))
    low2, high2 = (_convolve(h[None], h.flip(0))[0] / 2 for h in (low, high))
    bank = torch.eye(BANDS, 1, dtype=torch.float64)
    for band in range(1, BANDS):
        spread = torch.stack([bank, torch.zeros_like(bank)], dim=2).flatten(1)[:, :-1]  # zeros between taps
        bank = _convolve(spread, low2)
        start = (bank.shape[1] - len(high2)) // 2
        bank[band, start : start + len(high2)] += high2
    return bank.float()


def amplify(x: Tensor, gains: Tensor) -> Tensor:
    """x `[B, C, H, W]` with its bands times gains `[B, 4]`, borders reflected.

    Raises:
        InrvidError: x is too small to be reflected.
    """
    batch, channels, height, width = x.shape
    taps = to_device(gains @ filter_bank().to(gains), x.device, x.dtype)  # [B, taps]
    pad = taps.shape[1] // 2
    if min(height, width) <= pad:
        raise InrvidError(f"augment: imgfilter needs frames of more than {pad} pixels a side, got {height}×{width}")
    x = F.pad(x, (pad, pad, pad, pad), mode="reflect").flatten(0, 1)[None]
    kernel = taps.repeat_interleave(channels, dim=0)
    x = F.conv2d(x, kernel[:, None, None, :], groups=batch * channels)
    x = F.conv2d(x, kernel[:, None, :, None], groups=batch * channels)
    return x.view(batch, channels, height, width)


def _convolve(rows: Tensor, kernel: Tensor) -> Tensor:
    """Full convolution of each row."""
    return F.conv1d(rows[:, None], kernel.flip(0)[None, None], padding=len(kernel) - 1)[:, 0]
