"""inrvid: video generators based on implicit neural representations.

    from inrvid import build_generator, Grid
    G = build_generator("digan_ucf")
    inr = G.inr(G.sample_latents(4, seed=0), truncation=0.8)
    frames = inr(t, Grid(256, 256))

Names are imported at their first use.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .errors import InrvidError
    from .generators.base import VideoGenerator
    from .generators.inr import VideoINR
    from .grid import Grid
    from .latents import Latents
    from .models.build import build_discriminator, build_generator
    from .recipe.schema import Recipe, load_recipe

__version__ = "0.1.0"

_HOMES = {
    "Grid": "grid",
    "InrvidError": "errors",
    "Latents": "latents",
    "Recipe": "recipe.schema",
    "VideoGenerator": "generators.base",
    "VideoINR": "generators.inr",
    "build_discriminator": "models.build",
    "build_generator": "models.build",
    "load_recipe": "recipe.schema",
}

__all__ = [
    "Grid",
    "InrvidError",
    "Latents",
    "Recipe",
    "VideoGenerator",
    "VideoINR",
    "__version__",
    "build_discriminator",
    "build_generator",
    "load_recipe",
]


def __getattr__(name: str) -> Any:
    """Names are imported at their first use (PEP 562): `import inrvid` loads neither torch nor plugins."""
    if name not in _HOMES:
        raise AttributeError(f"module 'inrvid' has no attribute '{name}'")
    return getattr(importlib.import_module(f"inrvid.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
