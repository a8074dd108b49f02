"""Evaluating a video piece by piece: some videos, some frames, a band of rows at a time.

Without gradients, a piece is as large as suits the device, and memory does not grow with the length, number or size of
the videos. With gradients, everything is drawn at once. So are the clips that a training draws for the discriminator
(`for_discriminator`), except on a CPU: they need less memory than the clips with gradients that were drawn before them.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

POINTS = {"cpu": 1 << 15}
"""Pixels that a device evaluates at a time; on devices other than the CPU: `POINTS_OF_OTHERS`."""
POINTS_OF_OTHERS = 1 << 19

WORTHWHILE = 1 << 12
"""Least number of pixels per call on a CPU with gradients: below it, the cost of the call itself dominates."""


class Piece(NamedTuple):
    """Some frames of some videos, as slices of the first two dimensions of `[B, T, …]`."""

    videos: slice
    frames: slice


def pieces_of(videos: int, frames: int, points: int, device: torch.device) -> list[Piece]:
    """`videos` of `frames` with `points` pixels each, as pieces of at least one frame."""
    if _all_at_once(device):
        return [Piece(slice(0, videos), slice(0, frames))]
    budget = _budget(device)
    frames_at_once = min(frames, max(1, budget // points))
    videos_at_once = max(1, budget // (points * frames_at_once))
    return [
        Piece(slice(b, b + videos_at_once), slice(t, t + frames_at_once))
        for b in range(0, videos, videos_at_once)
        for t in range(0, frames, frames_at_once)
    ]


def bands_of(rows: int, points: int, device: torch.device) -> list[tuple[int, int]]:
    """(first row, number of rows) of each band, for something with `points` pixels in `rows` rows."""
    at_once = rows if _all_at_once(device) else max(1, min(rows, _budget(device) * rows // max(points, 1)))
    return [(row, min(at_once, rows - row)) for row in range(0, rows, at_once)]


def assemble(draw: Callable[[Piece], Tensor], pieces: Sequence[Piece], shape: tuple[int, int]) -> Tensor:
    """The pieces that `draw` makes, put together: `[B, T, …]` with (B, T) = `shape`."""
    if len(pieces) == 1:
        return draw(pieces[0])
    whole: Tensor | None = None
    for piece in pieces:
        part = draw(piece)
        whole = part.new_empty(*shape, *part.shape[2:]) if whole is None else whole
        whole[piece.videos, piece.frames] = part
    assert whole is not None
    return whole


_for_discriminator = False


@contextlib.contextmanager
def for_discriminator() -> Iterator[None]:
    """Within this context, accelerators draw videos whole. CPUs still draw them in pieces, which is faster there."""
    global _for_discriminator
    before, _for_discriminator = _for_discriminator, True
    try:
        yield
    finally:
        _for_discriminator = before


def _has_room(device: torch.device) -> bool:
    """Whether clips for the discriminator are being drawn on an accelerator, whose memory has held more before."""
    return _for_discriminator and device.type not in POINTS


def _all_at_once(device: torch.device) -> bool:
    return torch.is_grad_enabled() or torch.compiler.is_compiling() or _has_room(device)


def _budget(device: torch.device) -> int:
    return POINTS.get(device.type, POINTS_OF_OTHERS)


class Part(NamedTuple):
    """Some videos with all their frames, or some frames of one; `samples` counts frames of all videos."""

    videos: slice
    samples: slice


def splits(videos: int, frames: int, points: int, device: torch.device) -> list[Part]:
    """`videos` of `frames` with `points` pixels each, as parts for a device to handle one after the other.

    A part of several videos has all their frames; a single video that is still too large is split by frames.

    With gradients, memory grows with the video anyway: a CPU takes one video at a time if that is work enough
    (`WORTHWHILE`), other devices take all.
    """
    # For an upsampling layer's input and its result; on a CPU, half of that is as fast and needs less memory.
    budget = _budget(device) // (4 if device.type in POINTS else 2)
    if torch.is_grad_enabled() or _has_room(device):
        budget = max(frames * points, WORTHWHILE) if device.type in POINTS else videos * frames * points
    at_once = max(1, budget // points)
    if torch.compiler.is_compiling() or at_once >= videos * frames:
        return [Part(slice(0, videos), slice(0, videos * frames))]
    if videos > 1:
        step = max(1, at_once // frames)
        return [Part(slice(b, b + step), slice(b * frames, (b + step) * frames)) for b in range(0, videos, step)]
    return [Part(slice(0, 1), slice(t, t + at_once)) for t in range(0, frames, at_once)]
