"""StyleGAN2-ADA's release (NeurIPS 2020), an image generator: here a generator of still videos.

No golden file proves this layout as a whole. Its names are those that StyleGAN-V's release keeps, except the constant
input's, and its discriminator's are those of DIGAN's `imageD`: the tests assemble it from what golden files prove.

StyleGAN2 adds noise to its layers, times a learned strength. No generator of inrvid does: a strength other than 0 is
refused by name, unless the user accepts that this noise (of fine detail) is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .family import ATTRIBUTES, FILTERS, GENERATOR_SETTINGS, MAPPING, NOISE, common_keys, mapping_sizes, synthesis_sizes
from .images import DISCRIMINATOR
from .layout import Config, Inert, Layout, Needs, Part, Shapes


def _measured(shapes: Shapes) -> Config:
    residual = any(name.startswith("synthesis.") and name.endswith(".skip.weight") for name in shapes)
    found = {**mapping_sizes(shapes), **synthesis_sizes(shapes)}
    return {**found, "architecture": "resnet" if residual else "skip"}


def _config(config: Mapping[str, Any]) -> Config:
    return {
        "type": "stylegan2",
        **common_keys(config),
        **{key: config[key] for key in ("z_dim", "w_dim", "mapping_layers", "architecture")},
        "motion_width": 0,
        "motion": {"type": "static"},
    }


STYLEGAN2_ADA = Layout(
    name="stylegan2_ada",
    title="StyleGAN2-ADA",
    marker=r"synthesis\.b4\.const",
    generator=Part(
        rules=[
            *MAPPING,
            (r"synthesis\.b4\.const", "constant"),
            (r"synthesis\.b(\d+)\.(conv\d)\.(.*)", r"blocks.\1.layers.\2.\3"),
            (r"synthesis\.b(\d+)\.torgb\.(.*)", r"blocks.\1.rgb.\2"),
            (r"synthesis\.b(\d+)\.skip\.weight", r"blocks.\1.skip.weight"),
        ],
        measured=_measured,
        settings={
            **GENERATOR_SETTINGS,
            "synthesis_kwargs.architecture": Needs.one_of("skip", "resnet"),
            "synthesis_kwargs.use_noise": Inert("noise_strength says how much of it there is"),
        },
        attributes=ATTRIBUTES,
        constants={**FILTERS, **NOISE},
        config=_config,
    ),
    discriminator=DISCRIMINATOR,
)
