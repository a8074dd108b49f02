"""INR-GAN's release (CVPR 2021), an image generator: here a generator of still videos.

No golden file proves this layout. It is DIGAN's, which is built on it, without the motion, and what the paper says: one
affine layer predicts the frequencies and phases of a coordinate embedding. Embeddings whose width changes from one
resolution to the next, and bases besides the predicted one, are refused by name.
"""

from __future__ import annotations

from .digan import BLOCKS, COORDINATES, FUSER, FUSERS, coordinate_network, inr_gan
from .family import ATTRIBUTES, FILTERS, GENERATOR_SETTINGS, MAPPING, NOISE
from .images import DISCRIMINATOR
from .layout import Layout, Part

INR_GAN = Layout(
    name="inr_gan",
    title="INR-GAN",
    marker=rf"{FUSER}\..*",
    generator=Part(
        rules=[
            *MAPPING,
            (rf"{FUSER}\.(?:xy)?affine\.(\w+)", r"blocks.\1.embedding.coords.affine.\2"),
            *BLOCKS,
        ],
        measured=lambda shapes: coordinate_network(shapes, "(?:xy)?affine"),
        settings={**GENERATOR_SETTINGS, **COORDINATES},
        attributes={**ATTRIBUTES, **FUSERS},
        constants={**FILTERS, **NOISE},
        assumed={"sigma_xy": 10**0.5, "input_resolution": 32},
        config=lambda config: inr_gan(config, {"type": "static"}),
    ),
    discriminator=DISCRIMINATOR,
)
