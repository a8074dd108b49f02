"""Files of latents, checked against a model before anything is made of them."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from ..errors import InrvidError
from ..files import expanded
from ..generators.base import VideoGenerator
from ..latents import Latents
from ..motion.noise import NoiseSequence


@torch.no_grad()
def read_latents(path: str | Path, generator: VideoGenerator) -> Latents:
    """Latents of a file, float32, on the generator's device.

    Raises:
        InrvidError: the generator cannot take them: other shapes or kinds, numbers of videos, NaN or infinity.
    """
    latents, own = Latents.load(expanded(path)), generator.sample_latents(1)
    videos = len(latents.content) if latents.content.ndim else 0
    if not videos:
        raise InrvidError(f"{path}: no video in it")
    pairs = {"content": (latents.content, own.content), "label": (latents.label, own.label)}
    if latents.ws is not None:
        pairs["ws"] = (latents.ws, generator.styles(own))
    if isinstance(latents.motion, Tensor) and isinstance(own.motion, Tensor):
        pairs["motion"] = (latents.motion, own.motion)
    elif not (isinstance(latents.motion, NoiseSequence) and isinstance(own.motion, NoiseSequence)):
        raise InrvidError(f"{path}: motion noise of another kind than this model's: not its latents")
    else:
        _check_sequence(path, latents.motion, own.motion, videos, generator.device)
    for name, (found, expected) in pairs.items():
        _check(path, name, found, (videos, *expected.shape[1:]))
    return latents.to(generator.device, torch.float32)


def _check(path: str | Path, name: str, found: Tensor, expected: tuple[int, ...]) -> None:
    """Raises InrvidError for another shape, another kind of numbers, NaN or infinity."""
    if not found.ndim or found.shape[1:] != expected[1:]:
        sizes = f"{list(found.shape[1:])}, where this model's are {list(expected[1:])}"
        raise InrvidError(f"{path}: {name} of shape {sizes}: latents of another model")
    if len(found) != expected[0]:
        raise InrvidError(f"{path}: {name} of {len(found)} videos, content of {expected[0]}: not a file of latents")
    if not found.is_floating_point():
        kind = str(found.dtype).removeprefix("torch.")
        raise InrvidError(f"{path}: {name} is of {kind}, latents are floating-point numbers")
    if not found.float().isfinite().all():
        raise InrvidError(f"{path}: {name} is not finite (NaN or infinity)")


def _check_sequence(
    path: str | Path, noise: NoiseSequence, own: NoiseSequence, videos: int, device: torch.device
) -> None:
    """Raises InrvidError for noises of another width, of another number of videos, or that are not noises."""
    own_width = own.at(torch.zeros(1, 1, dtype=torch.int64, device=device)).shape[-1]
    for name, found in noise.tensors().items():
        kind = name.rpartition(".")[2]
        if kind in ("given", "values"):
            if found.ndim != 3 or not found.shape[1]:
                raise InrvidError(f"{path}: motion.{name} of shape {list(found.shape)}: not a file of latents")
            _check(path, f"motion.{name}", found, (videos, found.shape[1], own_width))
        elif kind == "keys" and (found.dtype != torch.int64 or found.shape != (videos, 4)):
            raise InrvidError(f"{path}: motion.{name}: no keys of {videos} videos' noise: not a file of latents")
        elif kind == "width" and int(found) != own_width:
            raise InrvidError(f"{path}: motion noise {int(found)} wide, where this model's is {own_width}")
