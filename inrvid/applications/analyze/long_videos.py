"""Whether long videos repeat themselves, and how much the motions of one content differ."""

from __future__ import annotations

import torch
from torch import Tensor

from ...evaluation.detectors.diagnostics import SHORTEST, autocorrelation, reduced, rise
from ...generators.base import VideoGenerator
from ...latents import Latents
from .finding import Finding, line


@torch.no_grad()
def repeats(generator: VideoGenerator, latents: Latents, frames: int) -> Finding:
    """The autocorrelation of videos of `frames` frames, over lags up to half of them, and each one's highest peak.

    Example:
        finding = repeats(generator, generator.sample_latents(2), 128)
    """
    lines, peaks = {}, []
    for i in range(len(latents)):
        inr = generator.inr(latents[i])
        t = torch.arange(frames, device=generator.device, dtype=torch.float64)
        rho = autocorrelation(torch.cat([reduced(some[0].float()).cpu() for some in inr.stream(t)]))
        peaks.append(_highest(rho))
        rising = ", still rising" if peaks[-1]["rising"] else ""
        lines[f"video {i}, {peaks[-1]['height']:.2f} at {peaks[-1]['lag']}{rising}"] = line(
            range(1, len(rho) + 1), rho.tolist()
        )
    about = (
        "How like a video is to itself τ frames later, each pixel without its mean over time. A peak after a fall "
        "says that it repeats: in the legend, its height above zero, or above the lowest value before it where that "
        "is less (1: the same again), and its τ. What still rises at the last τ may have its peak beyond."
    )
    return Finding(
        "Do long videos repeat themselves?", about, {"autocorrelation over τ": lines}, numbers={"peaks": peaks}
    )


def _highest(rho: Tensor) -> dict[str, int | float | bool]:
    """Where ρ is highest after a fall, and whether that is its end, on the way up: no peak that one could see."""
    height, at = rise(rho).max(dim=0) if len(rho) >= SHORTEST else (rho.new_zeros(()), rho.new_zeros(()))
    lag = int(at) + SHORTEST
    rising = bool(height > 0) and lag == len(rho) and bool(rho[-1] > rho[-2])
    return {"lag": lag, "height": round(float(height.clamp(0, 1)), 4), "rising": rising}


@torch.no_grad()
def motion_diversity(generator: VideoGenerator, latents: Latents, motions: Latents, t: Tensor) -> Finding:
    """How far apart videos of one content with different motions are at times t `[T]`, beside videos of other contents.

    Example:
        finding = motion_diversity(generator, generator.sample_latents(1), generator.sample_latents(8, seed=1), t)

    Args:
        latents: of one video, whose content is kept.
        motions: of two or more videos, whose motions that content is given; with their own contents they are the
            comparison.
    """
    same = latents[[0] * len(motions)].with_motion(motions)
    curves = {
        "one content, other motions": _distances(generator, same, t),
        "other contents, other motions": _distances(generator, motions, t),
    }
    means = {name: round(float(curve.mean()), 5) for name, curve in curves.items()}
    about = (
        f"How far {len(motions)} videos are apart, in pairs: root of the mean squared difference of their "
        "pixels (which lie in [−1, 1]). With one content it is what motion alone changes."
    )
    chart = {name: line(t.tolist(), curve.tolist()) for name, curve in curves.items()}
    return Finding("Diversity of motion", about, {"distance over t": chart}, numbers={"distance": means})


def _distances(generator: VideoGenerator, latents: Latents, t: Tensor) -> Tensor:
    """`[T]`: the root mean square difference over all pairs of videos, which is the root of twice the variance."""
    parts = [
        frames.float().var(dim=0).mean(dim=(1, 2, 3))
        for frames in generator.inr(latents).stream(t.to(generator.device))
    ]
    return (2 * torch.cat(parts)).sqrt().cpu()
