"""Building models from a mapping, a recipe's path or a recipe's name."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from .config import PartConfig
from .discriminators.base import Discriminator
from .generators.base import VideoGenerator
from .recipe import load_recipe
from .registry import registry

Source = Mapping[str, Any] | PartConfig | str | Path


def build_generator(source: Source, *, seed: int = 0) -> VideoGenerator:
    """A generator with initial weights.

    Args:
        source: its configuration (`{"type": "inr_gan", ...}`), or a recipe: a path or the name of an installed one.
        seed: of the initial weights; the global random state is neither read nor changed.

    Raises:
        InrvidError: unknown names or keys, values of the wrong type or range, no such recipe.
    """
    return _build("generators", "generator", source, seed)


def build_discriminator(source: Source, *, seed: int = 0) -> Discriminator:
    """A discriminator with initial weights; arguments as of `build_generator`."""
    return _build("discriminators", "discriminator", source, seed)


def _build(kind: str, key: str, source: Source, seed: int) -> Any:
    config = getattr(load_recipe(source), key) if isinstance(source, (str, Path)) else source
    with torch.random.fork_rng(devices=[]):
        torch.random.default_generator.manual_seed(seed)
        return registry(kind).build(config)
