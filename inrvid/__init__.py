"""inrvid: video generators based on implicit neural representations.

    from inrvid import build_generator, Grid
    G = build_generator("digan_ucf")
    inr = G.inr(G.sample_latents(4, seed=0), truncation=0.8)
    frames = inr(t, Grid(256, 256))

Names are imported at their first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .lazy import lazy_names

if TYPE_CHECKING:
    from .discriminators.base import Discriminator
    from .errors import ConfigError, DataError, InrvidError, ModelError
    from .generators.base import VideoGenerator
    from .generators.inr import VideoINR
    from .grid import Grid
    from .latents import Latents
    from .models.build import build_discriminator, build_generator
    from .recipe.schema import Recipe, load_recipe

__version__ = "0.1.0"

__all__ = [
    "ConfigError",
    "DataError",
    "Discriminator",
    "Grid",
    "InrvidError",
    "Latents",
    "ModelError",
    "Recipe",
    "VideoGenerator",
    "VideoINR",
    "__version__",
    "build_discriminator",
    "build_generator",
    "load_recipe",
]

_HOMES = {
    "ConfigError": "inrvid.errors",
    "DataError": "inrvid.errors",
    "Discriminator": "inrvid.discriminators.base",
    "Grid": "inrvid.grid",
    "InrvidError": "inrvid.errors",
    "Latents": "inrvid.latents",
    "ModelError": "inrvid.errors",
    "Recipe": "inrvid.recipe.schema",
    "VideoGenerator": "inrvid.generators.base",
    "VideoINR": "inrvid.generators.inr",
    "build_discriminator": "inrvid.models.build",
    "build_generator": "inrvid.models.build",
    "load_recipe": "inrvid.recipe.schema",
}
# `import inrvid` loads neither torch nor plugins.
__getattr__, __dir__ = lazy_names(__name__, _HOMES)
