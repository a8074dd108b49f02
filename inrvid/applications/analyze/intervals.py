"""What a discriminator makes of how far apart its frames are said to be (DIGAN, ICLR 2022, figure 10)."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from ...discriminators.base import Discriminator
from ...generators.base import VideoGenerator
from ...latents import Latents
from .finding import Finding, NotPossible, Points, line

BLIND = 1e-6
"""Logits that differ by less do not depend on times."""


@torch.no_grad()
def interval_logits(generator: VideoGenerator, discriminator: Discriminator, latents: Latents, last: int) -> Finding:
    """Mean logits over Δt, the time between a clip's first and last frame, from the smallest possible to `last`.

    Once for frames that are `last` apart, whatever Δt the discriminator is told; once for frames that are Δt apart. The
    frames in between are about equally spaced, at whole frames, as in real clips.

    Example:
        finding = interval_logits(generator, discriminator, generator.sample_latents(16), 15)

    Raises:
        NotPossible: no head's logits depend on times.
    """
    parts = torch.linspace(0, 1, discriminator.frames, device=generator.device)
    nearest = max(discriminator.frames - 1, 1)
    intervals = torch.arange(nearest, max(last, nearest + 1) + 1.0, device=generator.device)
    inr = generator.inr(latents)
    far = inr(_times(intervals[-1], parts))
    said = _curves(lambda times: discriminator(far, times, latents.label), len(latents), intervals, parts)
    seen = {name for name, logits in said.items() if logits.max() - logits.min() > BLIND}
    if not seen:
        raise NotPossible("this discriminator's logits do not depend on the times of its frames")
    true = _curves(lambda times: discriminator(inr(times), times, latents.label), len(latents), intervals, parts)
    apart = f"{float(intervals[-1]):g}"
    charts = {
        f"the same frames, {apart} apart, said to be Δt apart": _lines(said, seen, intervals),
        "frames that are Δt apart": _lines(true, seen, intervals),
    }
    about = (
        f"Mean logits of {len(latents)} generated clips over Δt, in frames (DIGAN, figure 10). A discriminator "
        f"that knows how fast things move finds frames that are {apart} apart more real the nearer Δt is to "
        f"{apart}."
    )
    numbers = {
        name: {"said": [round(v, 6) for v in said[name].tolist()], "true": [round(v, 6) for v in true[name].tolist()]}
        for name in sorted(seen)
    }
    return Finding("Logits over the time between frames", about, charts, numbers=numbers)


def _curves(
    judge: Callable[[Tensor], dict[str, Tensor]], videos: int, intervals: Tensor, parts: Tensor
) -> dict[str, Tensor]:
    """Mean logit of each head at each interval, `[n]`."""
    rows = [judge(_times(interval, parts).expand(videos, -1)) for interval in intervals]
    return {head: torch.stack([row[head].float().mean() for row in rows]).cpu() for head in rows[0]}


def _times(interval: Tensor, parts: Tensor) -> Tensor:
    """Times of the frames: whole numbers from 0 to the interval."""
    return (interval * parts + 0.5).floor()


def _lines(curves: dict[str, Tensor], heads: set[str], intervals: Tensor) -> dict[str, Points]:
    return {head: line(intervals.tolist(), curves[head].tolist()) for head in sorted(heads)}
