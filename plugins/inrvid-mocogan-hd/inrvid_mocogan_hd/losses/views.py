"""Views of pictures for the contrastive loss (MoCoGAN-HD, ICLR 2021, appendix; the release's distributions).

Each picture by itself: a piece at one of the borders is cut out, then one of three is applied: mirroring with
probability ½; a value added to all channels or one; a rotation by any angle with small shifts and scales.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from inrvid.plugins import Draws

NUMBERS = 13
"""Row, column and length of the cutout; which of the three (0 mirrored, 1 coloured, 2 rotated); mirrored (0, 1);
channel (0 all, 1 … 3) and the value added to it; the 2×3 sampling matrix, row by row."""


def drawn(draws: Draws, side: int) -> Tensor:
    """The numbers of a view of each picture, `[B, NUMBERS]`, on the CPU."""
    u = draws.uniform(12).double()
    matrix = _matrix(*u[:, 8:12].unbind(dim=1))
    flipped, channel, value = (u[:, 5] < 0.5).double(), (4 * u[:, 6]).floor(), u[:, 7] - 0.5
    which = (3 * u[:, 4]).floor()
    return torch.cat([_cutout(u[:, :4], side), torch.stack([which, flipped, channel, value], dim=1), matrix], dim=1)


def view(pictures: Tensor, numbers: Tensor) -> Tensor:
    """Pictures `[B, 3, side, side]` → the same shape."""
    numbers = numbers.to(pictures)
    x = _without_a_piece(pictures, numbers[:, :3])
    which, flipped, channel, value = (n[:, None, None, None] for n in numbers[:, 3:7].unbind(dim=1))
    channels = torch.arange(1, 4, device=x.device)[:, None, None]
    coloured = x + value * ((channel == 0) | (channel == channels))
    grid = F.affine_grid(numbers[:, 7:].view(-1, 2, 3), list(x.shape), align_corners=False)
    rotated = F.grid_sample(x, grid, padding_mode="reflection", align_corners=False)
    mirrored = torch.where(flipped == 1, x.flip(3), x)
    return torch.where(which == 0, mirrored, torch.where(which == 1, coloured, rotated))


def _cutout(u: Tensor, side: int) -> Tensor:
    """Of `[B, 4]` uniform numbers: row, column and length, pixels; an eighth to a fourth of a side, near a border."""
    border, part = (4 * u[:, 0]).floor(), (1 + u[:, 1]) / 8
    near = u[:, 2] * (0.25 - part)
    across = torch.where(border < 2, near, near + 0.75)  # top and left, or bottom and right
    along = 0.75 * u[:, 3]
    vertical = border % 2 == 0
    start = torch.stack([torch.where(vertical, across, along), torch.where(vertical, along, across)], dim=1)
    pixels = (start * (side - 1) - 0.5).round()
    return torch.cat([pixels, (part * side - 0.5).round()[:, None]], dim=1)


def _matrix(angle: Tensor, x: Tensor, y: Tensor, scale: Tensor) -> Tensor:
    """Of uniform numbers `[B]`: sampling matrices in normalised coordinates, `[B, 6]`."""
    angle, x, y, scale = math.pi * (2 * angle - 1), (x - 0.5) / 5, (y - 0.5) / 5, 0.95 + scale / 10
    cos, sin = scale * angle.cos(), scale * angle.sin()
    return torch.stack([cos, -sin, x, sin, cos, y], dim=1)


def _without_a_piece(x: Tensor, cutout: Tensor) -> Tensor:
    place = torch.arange(x.shape[2], device=x.device)
    row, column, length = cutout[:, :, None].unbind(dim=1)
    rows, columns = ((place >= start) & (place < start + length) for start in (row, column))
    return x.masked_fill((rows[:, :, None] & columns[:, None])[:, None], 0.0)
