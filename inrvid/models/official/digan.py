"""DIGAN's release (ICLR 2022), as in the golden files, which prove its names, shapes, settings and frames."""

from __future__ import annotations

import collections
import re
from collections.abc import Mapping
from typing import Any

from ...weights import WeightsError
from .family import (
    ATTRIBUTES,
    DISCRIMINATOR_SETTINGS,
    FILTERS,
    GENERATOR_SETTINGS,
    MAPPING,
    RESIDUAL,
    TIMES,
    clip,
    common_keys,
    label_width,
    mapping_sizes,
    residual_sizes,
    synthesis_sizes,
    times,
)
from .layout import Config, Inert, Layout, Needs, Part, Rules, Says, Setting, Shapes, sides, size

_ONCE_MORE = Inert("cfg.coords once more")
_OF_A_RANGE = Inert("sizes for ranges of resolutions; those of each resolution are in res_configs, and its weights")

COORDINATES: dict[str, Setting] = {
    "cfg.coords.enabled": Needs.one_of(True),
    "cfg.coords.per_resolution": Needs.one_of(True),
    "cfg.coords.kernel_size": Needs.one_of(1),
    "cfg.coords.coord_dim": Needs.one_of(2),
    "cfg.coords.fallback": Needs.one_of(False),
    "cfg.coords.use_full_cache": Inert("keeps what was computed"),
    "cfg.coords.*_res_cfg.*": _OF_A_RANGE,
    "cfg.coords.res_configs.*.predictable_emb_size": Inert("the weights of each resolution have it"),
    "cfg.coords.res_configs.*.use_cosine": Needs.one_of(True),
    "cfg.coords.res_configs.*.use_diagonal": Inert("of the logarithmic basis, which has no width"),
    "cfg.coords.res_configs.*_emb_size": Needs.one_of(0),
    "cfg.input.type": Needs.one_of("coords"),
    "cfg.input.resolution": Says("input_resolution"),
    "cfg.input.coord_fuser_cfg.*": _ONCE_MORE,
    "cfg.fmm.enabled": Needs.one_of(True),
    "cfg.fmm.rank": Says("fmm_rank"),
    "cfg.fmm.activation": Needs.one_of("demod"),
    "cfg.num_extra_convs.*": Inert("the weights of each resolution have them"),
    "cfg.upsampling_mode": Needs.one_of("nearest"),
    "cfg.use_noise": Needs.one_of(False),
    "cfg.fmaps": Inert("channel_base, which is stored too, was made of it"),
    "cfg.fp32": Inert("num_fp16_res, which is stored too, was made of it"),
}
"""Settings of INR-GAN's generator, on which DIGAN's is built."""

FUSERS: dict[str, Setting] = {
    "*coord_fuser.fourier_scale": Says("sigma_xy"),
    "*coord_fuser.use_cosine": Needs.one_of(True),
    "*coord_fuser.use_raw_coords": Needs.one_of(False),
    "*coord_fuser.is_modulated": Needs.one_of(True),
    **{f"*coord_fuser.{kind}_emb_size": Needs.one_of(0) for kind in ("log", "random", "shared", "const")},
}
"""Attributes of the modules that embed coordinates."""

BLOCKS: Rules = [
    (r"synthesis\.b4\.conv1\.(.*)", r"blocks.4.layers.0.\1"),
    (r"synthesis\.b(\d+)\.conv(\d)\.(.*)", r"blocks.\1.layers.\2.\3"),
    (r"synthesis\.b(\d+)\.extra_convs\.(\d+)\.(.*)", lambda m: f"blocks.{m[1]}.layers.{2 + int(m[2])}.{m[3]}"),
    (r"synthesis\.b(\d+)\.torgb\.(.*)", r"blocks.\1.rgb.\2"),
]

FUSER = r"synthesis\.b(\d+)\.(?:input\.input\.)?coord_fuser"


def coordinate_network(shapes: Shapes, affine: str) -> Config:
    """Sizes of INR-GAN's generator; `affine` is the layer that predicts frequencies and phases, 3d numbers."""
    pattern = rf"{FUSER}\.{affine}\.weight"
    widths = {shape[0] for name, shape in shapes.items() if re.fullmatch(pattern, name)}
    later = [r for r in sides(shapes, pattern) if r > 4]
    if len(widths) != 1:
        raise WeightsError(f"its coordinate embeddings have the widths {sorted(widths)}: those of a component have one")
    first = "synthesis.b4.conv1"
    out, taken, modulation = (
        size(shapes, f"{first}.{name}", i) for name, i in (("weight", 0), ("weight", 1), ("affine.weight", 0))
    )
    return {
        **mapping_sizes(shapes),
        **synthesis_sizes(shapes),
        "coord_embedding_dim": widths.pop() // 3,
        "fmm_rank": modulation // (out + taken),
        "extra_convs": _extra_layers(shapes),
        **({"input_resolution": later[0] // 2} if later else {}),
    }


def _extra_layers(shapes: Shapes) -> dict[str, int]:
    """How many layers a block has after its second, by resolution."""
    names = [re.fullmatch(r"synthesis\.b(\d+)\.extra_convs\.(\d+)\.weight", name) for name in shapes]
    return dict(collections.Counter(match[1] for match in names if match))


def inr_gan(config: Mapping[str, Any], motion: Config) -> Config:
    """inrvid's configuration of INR-GAN's generator with a motion."""
    return {
        "type": "inr_gan",
        **common_keys(config),
        **{key: config[key] for key in ("z_dim", "w_dim", "mapping_layers", "fmm_rank", "input_resolution")},
        "coord_dim": config["coord_embedding_dim"],
        "extra_layers": config["extra_convs"],
        "coords": {"type": "fourier", "sigma": config["sigma_xy"]},
        "motion": motion,
    }


def _generator(config: Mapping[str, Any]) -> Config:
    return inr_gan(config, {"type": "global", "sigma_t": config["sigma_t"]}) | times(config)


def _measured_pair(shapes: Shapes) -> Config:
    image, motion = (residual_sizes(shapes, prefix) for prefix in ("imageD.", "videoD."))
    if image != motion:
        raise WeightsError("its two discriminators are of different sizes, which no component expresses")
    return {**image, "label_dim": label_width(shapes, "imageD.")}


def _discriminator(config: Mapping[str, Any]) -> Config:
    layers = {"label_layers": config["condition_layers"]} if "condition_layers" in config else {}
    mbstd = {"mbstd_group": config["mbstd_group_size"]}
    return {"type": "dual", **common_keys(config), **mbstd, **layers, **clip(config)}


DIGAN = Layout(
    name="digan",
    title="DIGAN",
    marker=rf"{FUSER}\.motion_mlp\..*",
    generator=Part(
        rules=[
            *MAPPING,
            (rf"{FUSER}\.xyaffine\.(\w+)", r"blocks.\1.embedding.coords.affine.\2"),
            (rf"{FUSER}\.affine\.(\w+)", r"blocks.\1.embedding.motion.affine.\2"),
            (rf"{FUSER}\.motion_mlp\.(.*)", r"blocks.\1.embedding.motion.mlp.\2"),
            *BLOCKS,
        ],
        measured=lambda shapes: coordinate_network(shapes, "xyaffine"),
        settings={
            **GENERATOR_SETTINGS,
            **COORDINATES,
            "cfg.coords.motion_sigma": Says("sigma_t"),
            "cfg.coords.global_motion": Needs.one_of(False),
            "ours": Needs.one_of(True),
        },
        attributes={**ATTRIBUTES, **FUSERS, "*coord_fuser.motion_sigma": Says("sigma_t")},
        constants=FILTERS,
        assumed={"sigma_xy": 10**0.5, "sigma_t": 0.25, "input_resolution": 32, **TIMES},
        config=_generator,
    ),
    discriminator=Part(
        rules=[
            *((rf"imageD\.{pattern}", f"image.{name}") for pattern, name in RESIDUAL),
            *((rf"videoD\.{pattern}", f"motion.{name}") for pattern, name in RESIDUAL),
        ],
        measured=_measured_pair,
        settings=DISCRIMINATOR_SETTINGS,
        attributes=ATTRIBUTES,
        constants=FILTERS,
        assumed={"mbstd_group_size": 4, "clip_length": 16},
        config=_discriminator,
    ),
)
