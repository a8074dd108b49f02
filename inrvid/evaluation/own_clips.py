"""Features of clips that are tensors or arrays already, to score one's own model without a folder of videos."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeAlias

import numpy as np
import torch
from torch import Tensor

from ..errors import InrvidError
from ..registry import registry
from ..video_io.pictures import from_uint8
from .clips import eight_bits

Clips: TypeAlias = "np.ndarray | Tensor"

BEYOND = 2.0
"""Models draw a little beyond [−1, 1]; values beyond this are of another range."""


def clip_features(
    clips: Clips | Iterable[Clips], detector: Mapping[str, Any] | str = "i3d", *, device: str | torch.device = "cpu"
) -> Tensor:
    """Features of clips, for the distances in `inrvid.evaluation`.

        real, fake = clip_features(real_clips), clip_features(fake_clips)
        fvd = frechet_distance(real, fake)

    Args:
        clips: floats in [−1, 1] `[N, T, 3, H, W]` (rounded to 8 bits, as files have them) or uint8
            `[N, T, H, W, 3]`; arrays or tensors, or an iterable of batches of them, one at a time in memory.
        detector: a detector's configuration, or its name: `i3d` is that of FVD and KVD.

    Returns:
        float64 `[N, n]`, on the CPU.

    Raises:
        InrvidError: other shapes or ranges, too few frames, weights that are not here (the message says how to get
            them).
    """
    network = registry("detectors").build({"type": detector} if isinstance(detector, str) else detector).to(device)
    found = [network.features(batch.to(device)).cpu().double() for batch in _batches(clips)]
    if not found:
        raise InrvidError("clips: there are none")
    return torch.cat(found)


def _batches(clips: Clips | Iterable[Clips], at_once: int = 16) -> Iterator[Tensor]:
    """Batches of floats in [−1, 1], `[n, T, 3, H, W]`."""
    for given in (clips,) if isinstance(clips, np.ndarray | Tensor) else clips:
        tensor = torch.as_tensor(given).detach()
        levels = tensor.dtype == torch.uint8 and tensor.ndim == 5 and tensor.shape[-1] == 3
        if not levels:
            _check(tensor)
        for some in tensor.split(at_once):
            yield from_uint8(some) if levels else eight_bits(some.float())


def _check(clips: Tensor) -> None:
    """Raise InrvidError if clips are not floats of a model's shape and range."""
    if not clips.is_floating_point() or clips.ndim != 5 or clips.shape[2] != 3 or not clips.numel():
        found = f"{str(clips.dtype).removeprefix('torch.')} {list(clips.shape)}"
        raise InrvidError(f"clips: expected floats [N, T, 3, H, W] in [−1, 1] or uint8 [N, T, H, W, 3], got {found}")
    low, high = (float(x) for x in clips.aminmax())
    if not (-BEYOND <= low <= high <= BEYOND):
        raise InrvidError(f"clips: expected floats in [−1, 1], got {low:.4g} to {high:.4g}: 0 … 255 as uint8 go too")
