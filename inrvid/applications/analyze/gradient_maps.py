"""Where a discriminator looks: the gradient of its logits with respect to pixels (StyleGAN-V, CVPR 2022, figure 4)."""

from __future__ import annotations

import numpy as np
import torch
from einops import rearrange
from torch import Tensor

from ...discriminators.base import Discriminator
from ...video_io import to_uint8
from .finding import Finding, heat

BRIGHTEST = 99.5
"""Percentile of a head's gradients that is drawn white."""


def gradient_maps(discriminator: Discriminator, frames: Tensor, t: Tensor, label: Tensor) -> Finding:
    """Frames `[B, k, 3, H, W]` at times t `[B, k]`, beside the gradients of each head's logits with respect to them.

    Example:
        t = torch.tensor([[0.0, 5.0, 15.0]])
        finding = gradient_maps(discriminator, generator(latents, t), t, latents.label)
    """
    pictures, numbers = {}, {}
    for head, gradient in gradients(discriminator, frames, t, label).items():
        size = gradient.norm(dim=2).cpu().numpy()  # [B, k, H, W]
        pictures[head] = _rows(to_uint8(frames), heat((size / max(np.percentile(size, BRIGHTEST), 1e-30)).clip(0, 1)))
        share = (size**2).sum(axis=(0, 2, 3)) / max((size**2).sum(), 1e-30)
        numbers[head] = {"norm": float(np.sqrt((size**2).sum(axis=(1, 2, 3))).mean()), "of_frame": share.tolist()}
    about = (
        "Where the discriminator looks (StyleGAN-V, figure 4): clips, a row each, and right of their frames how "
        "much every pixel moves the logit of a head. White is what moves it most."
    )
    return Finding("Gradients of the discriminator", about, pictures=pictures, numbers=numbers)


def gradients(discriminator: Discriminator, frames: Tensor, t: Tensor, label: Tensor) -> dict[str, Tensor]:
    """Gradients of the sum of each head's logits with respect to the frames `[B, k, 3, H, W]`."""
    frames = frames.detach().requires_grad_()
    with torch.enable_grad():
        logits = discriminator(frames, t, label)
        return {
            head: torch.autograd.grad(value.float().sum(), frames, retain_graph=True)[0].float()
            for head, value in logits.items()
        }


def _rows(frames: np.ndarray, maps: np.ndarray) -> np.ndarray:
    """`[B, k, H, W, 3]` twice → `[B·H, 2·k·W, 3]`: one row per clip, its frames and, to their right, its maps."""
    return rearrange([frames, maps], "s b k h w c -> (b h) (s k w) c")
