"""What the releases share: all four name their networks as StyleGAN2-ADA (NeurIPS 2020) does.

A mapping network `mapping.fc<i>`, blocks `b<resolution>` of a generator's `synthesis` and of a discriminator, and in
them `conv0`, `conv1`, `torgb`, `fromrgb`, `skip`; the discriminator ends in `b4.conv`, `b4.fc` and `b4.out`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from ...weights import WeightsError
from .layout import Config, Constant, Inert, Needs, Rules, Says, Setting, Shapes, channels, sides, size

CLAMP = 256
"""`conv_clamp` of networks with blocks in half precision."""

MAPPING: Rules = [
    (r"mapping\.w_avg", "mapping.w_average"),
    (r"mapping\.fc(\d+)\.(\w+)", r"mapping.layers.\1.\2"),
    (r"mapping\.embed\.(\w+)", r"mapping.embed.\1"),
]

RESIDUAL: Rules = [
    *MAPPING,
    (r"b\d+\.fromrgb\.(\w+)", r"rgb.\1"),
    (r"b4\.(conv|fc|out)\.(\w+)", r"epilogue.\1.\2"),
    (r"b(\d+)\.(conv0|conv1|skip)\.(\w+)", r"blocks.\1.\2.\3"),
]

TRAINING = Inert("how it is trained, which a recipe says")

SIZES: dict[str, Setting] = {
    "z_dim": Says("z_dim"),
    "w_dim": Says("w_dim"),
    "c_dim": Says("label_dim"),
    "img_resolution": Says("resolution"),
    "img_channels": Needs.one_of(3),
}

HALF: dict[str, Setting] = {"num_fp16_res": Says("num_fp16_res"), "conv_clamp": Says("conv_clamp")}
"""`half` turns these into inrvid's setting."""

GENERATOR_SETTINGS: dict[str, Setting] = {
    **SIZES,
    "mapping_kwargs.num_layers": Says("mapping_layers"),
    "mapping_kwargs.cfg.*": Inert("the generator's own settings once more"),
    "synthesis_kwargs.channel_base": Says("channel_base"),
    "synthesis_kwargs.channel_max": Says("channel_max"),
    **{f"synthesis_kwargs.{key}": setting for key, setting in HALF.items()},
}
"""Settings of a generator."""

DISCRIMINATOR_SETTINGS: dict[str, Setting] = {
    **SIZES,
    **HALF,
    "channel_base": Says("channel_base"),
    "channel_max": Says("channel_max"),
    "architecture": Needs.one_of("resnet"),
    "mapping_kwargs.num_layers": Says("condition_layers"),
    "epilogue_kwargs.mbstd_group_size": Says("mbstd_group_size"),
    "epilogue_kwargs.mbstd_num_channels": Needs.one_of(1),
}
"""Settings of a discriminator."""

ATTRIBUTES: dict[str, Setting] = {
    "*.mbstd.group_size": Says("mbstd_group_size"),
    "*.mbstd.num_channels": Needs.one_of(1),
    "*activation": Needs.one_of("linear", "lrelu"),
    "*.instance_norm": Needs.one_of(False),
}
"""Attributes of modules, for what their settings may lack."""


TIMES = {"clip_length": 16, "fps": 25.0}
"""What no weight tells: the number of frames of a training clip, and their rate."""


def _low_pass(config: Mapping[str, Any], shape: tuple[int, ...]) -> Tensor:
    taps = torch.tensor([1.0, 3.0, 3.0, 1.0])
    return taps.outer(taps) / 64


FILTERS = {"resample_filter": Constant(_low_pass, "[1, 3, 3, 1] by [1, 3, 3, 1], of sum 1")}
NOISE = {
    "noise_strength": Constant(
        lambda config, shape: torch.zeros(shape), "0: no generator of inrvid takes noise into its layers"
    ),
    "noise_const": Constant(None, "multiplied by noise_strength, which is 0"),
}


def mapping_sizes(shapes: Shapes) -> Config:
    """Sizes of a generator's mapping network."""
    layers = sides(shapes, r"mapping\.fc(\d+)\.weight")
    w_dim, into = (size(shapes, "mapping.fc0.weight", i) for i in (0, 1))
    label_dim = size(shapes, "mapping.embed.weight", 1) if "mapping.embed.weight" in shapes else 0
    return {
        "mapping_layers": len(layers),
        "w_dim": w_dim,
        "label_dim": label_dim,
        "z_dim": into - (w_dim if label_dim else 0),
    }


def synthesis_sizes(shapes: Shapes) -> Config:
    """Sizes of a generator's blocks."""
    resolutions = sides(shapes, r"synthesis\.b(\d+)\.conv1\.bias")
    by_side = {r: size(shapes, f"synthesis.b{r}.conv1.bias", 0) for r in resolutions}
    return {"resolution": resolutions[-1], **channels(by_side)}


def residual_sizes(shapes: Shapes, prefix: str = "") -> Config:
    """Sizes of a residual discriminator, whose names begin with `prefix`."""
    resolutions = sides(shapes, rf"{re.escape(prefix)}b(\d+)\.conv0\.weight")
    by_side = {r: size(shapes, f"{prefix}b{r}.conv0.weight", 0) for r in resolutions}
    layers = [name for name in shapes if name.startswith(f"{prefix}mapping.fc") and name.endswith(".weight")]
    return {
        "resolution": resolutions[-1],
        **channels(by_side | {4: size(shapes, f"{prefix}b4.conv.weight", 0)}),
        **({"condition_layers": len(layers)} if layers else {}),
    }


def label_width(shapes: Shapes, prefix: str = "") -> int:
    """Width of the label of a discriminator that takes it as it is."""
    name = f"{prefix}mapping.embed.weight"
    return size(shapes, name, 1) if name in shapes else 0


def half(config: Mapping[str, Any]) -> Config:
    """How many blocks run in half precision. Raises WeightsError if none do but values are clamped, or vice versa."""
    blocks, clamp = config.get("num_fp16_res", 0), config.get("conv_clamp")
    if clamp != (CLAMP if blocks else None):
        raise WeightsError(
            f"num_fp16_res {blocks} with conv_clamp {clamp}: values are clamped, to ±{CLAMP}, where blocks run in half "
            "precision, and only there\n  --accept conv_clamp leaves them as they are"
        )
    return {"half_blocks": blocks}


def common_keys(config: Mapping[str, Any]) -> Config:
    """The keys that all networks have."""
    return {**{key: config[key] for key in ("resolution", "label_dim", "channel_base", "channel_max")}, **half(config)}


def times(config: Mapping[str, Any]) -> Config:
    """`clip_length` and `fps` of a generator of videos, where they are known."""
    return {**clip(config), **({"fps": float(config["fps"])} if "fps" in config else {})}


def clip(config: Mapping[str, Any]) -> Config:
    return {"clip_length": config["clip_length"]} if "clip_length" in config else {}
