"""PCA of motion codes over time, at each place where motion enters a backbone (DIGAN, ICLR 2022, figure 11)."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import torch
from torch import Tensor, nn

from ...generators.base import VideoGenerator
from ...latents import Latents
from ...motion.base import MotionHead
from .finding import Finding, NotPossible, line

COMPONENTS = 3
"""Components that are shown over time."""


def motion_pca(generator: VideoGenerator, latents: Latents, t: Tensor) -> Finding:
    """Principal components of all the videos' codes together, at times t `[T]`, in frames.

    Example:
        finding = motion_pca(generator, generator.sample_latents(4), torch.arange(64.0))

    Raises:
        NotPossible: motion enters nowhere.
    """
    charts, numbers = {}, {}
    for place, codes in head_codes(generator, latents, t).items():
        projected, parts = principal(codes)
        names = [f"component {i + 1} ({part:.0%})" for i, part in enumerate(parts[:COMPONENTS])]
        charts[f"{place}: the first video's, over t"] = {
            name: line(t.tolist(), projected[0, :, i].tolist()) for i, name in enumerate(names)
        }
        if len(parts) > 1:
            charts[f"{place}: all videos', the first two as a path"] = {
                f"video {i}": line(path[:, 0].tolist(), path[:, 1].tolist()) for i, path in enumerate(projected)
            }
        numbers[place] = {"width": codes.shape[2], "variance": [round(part, 6) for part in parts[:10]]}
    about = (
        "How motion codes move: at each place that takes motion in, the principal components of the codes of "
        "all videos over time, with their parts of the variance (DIGAN, figure 11). A path that closes is a "
        "motion that repeats."
    )
    return Finding("Motion codes over time", about, charts, numbers=numbers)


@torch.no_grad()
def head_codes(generator: VideoGenerator, latents: Latents, t: Tensor) -> dict[str, Tensor]:
    """The code of every motion head while the videos are drawn at times t `[T]`: `[B, T, width]` by the head's place.

    Raises:
        NotPossible: no head has a code.
    """
    heads = {
        name: module for name, module in generator.named_modules() if isinstance(module, MotionHead) and module.width
    }
    if not heads:
        raise NotPossible("this model's motion gives no codes: no place takes motion in")
    found: dict[str, list[Tensor]] = {name: [] for name in heads}
    inr = generator.inr(latents)
    with _listening(heads, found):
        for _ in inr.stream(t.to(generator.device)):
            pass
    return {name: torch.cat(parts, dim=1).float().cpu() for name, parts in found.items() if parts}


def principal(codes: Tensor) -> tuple[Tensor, list[float]]:
    """Codes `[B, T, width]` in the basis of their principal components, and each component's share of the variance."""
    rows = codes.flatten(0, 1).double()
    rows = rows - rows.mean(dim=0)
    _, sizes, basis = torch.linalg.svd(rows, full_matrices=False)
    parts = sizes.square() / sizes.square().sum().clamp(min=1e-30)
    return (rows @ basis.mT).unflatten(0, codes.shape[:2]), parts.tolist()


@contextlib.contextmanager
def _listening(heads: dict[str, MotionHead], found: dict[str, list[Tensor]]) -> Iterator[None]:
    def hook(name: str):
        def keep(module: nn.Module, inputs: tuple[object, ...], code: Tensor) -> None:
            found[name].append(code)

        return keep

    handles = [head.register_forward_hook(hook(name)) for name, head in heads.items()]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
