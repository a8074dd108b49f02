"""Frames as bytes; grids and strips of videos, to look at; pictures as files."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import torch
from einops import rearrange
from torch import Tensor

from ..files import replacing


def to_uint8(frames: Tensor) -> np.ndarray:
    """Frames `[..., 3, H, W]` in [−1, 1] → uint8 `[..., H, W, 3]`: ⌊127.5·x + 128⌋, clamped."""
    frames = (frames.detach().float() * 127.5 + 128).clamp_(0, 255).byte()
    return frames.movedim(-3, -1).cpu().numpy()


def from_uint8(frames: np.ndarray | Tensor) -> Tensor:
    """uint8 `[..., H, W, 3]` → float32 `[..., 3, H, W]` in [−1, 1], on the frames' device; `to_uint8` reverses it."""
    return torch.as_tensor(frames).movedim(-1, -3).float() / 127.5 - 1


def grid(videos: np.ndarray, columns: int | None = None) -> np.ndarray:
    """Videos `[B, T, H, W, 3]` side by side → one video `[T, H', W', 3]`; empty places are black."""
    columns = columns or math.ceil(math.sqrt(len(videos)))
    missing = -len(videos) % columns
    padded = np.concatenate([videos, np.zeros((missing, *videos.shape[1:]), videos.dtype)])
    return rearrange(padded, "(r c) t h w d -> t (r h) (c w) d", c=columns)


def strip(videos: np.ndarray, *, rows: int = 8, columns: int = 8) -> np.ndarray:
    """Videos `[B, T, H, W, 3]` → a picture: one row per video (the first ones), frames evenly spaced, left to right."""
    chosen = np.linspace(0, videos.shape[1] - 1, min(columns, videos.shape[1])).round().astype(int)
    return rearrange(videos[:rows, chosen], "b t h w d -> (b h) (t w) d")


def enlarge(picture: np.ndarray, factor: int) -> np.ndarray:
    """Each pixel of `[..., H, W, 3]` as `factor` × `factor` ones, for small models."""
    return picture if factor == 1 else picture.repeat(factor, axis=-3).repeat(factor, axis=-2)


def write_image(path: str | Path, picture: np.ndarray) -> None:
    """Write uint8 `[H, W, 3]` in the format of the path's suffix: .png or .jpg."""
    from PIL import Image

    with replacing(Path(path)) as temporary:
        Image.fromarray(picture).save(temporary, quality=90, subsampling=0)  # both for JPEG only
