"""StyleGAN-V's release (CVPR 2022), as in the golden files, which prove its names, shapes, settings and frames. Its
discriminator is the one without modulation: the weights of a modulated one have names that no rule knows, and are
refused by name."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from ...coords.acyclic import periods
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
    mapping_sizes,
    residual_sizes,
    synthesis_sizes,
    times,
)
from .layout import Config, Constant, Inert, Layout, Needs, Part, Says, Setting, Shapes, sides, size

_MOTION = "synthesis.motion_encoder"
_ENCODER = f"{_MOTION}.time_encoder"

SAMPLING: dict[str, Setting] = {
    "*sampling.max_num_frames": Says("max_frames"),
    "*sampling.num_frames_per_video": Says("frames_per_clip"),
    "*sampling.fps": Says("fps"),
    "*sampling.*": Inert("which times of a clip are looked at in training: a recipe's time sampler"),
    "cfg.source": Inert("the name of the source file"),
}

_GENERATOR: dict[str, Setting] = {
    **GENERATOR_SETTINGS,
    **SAMPLING,
    "cfg.z_dim": Says("z_dim"),
    "cfg.w_dim": Says("w_dim"),
    "cfg.c_dim": Says("label_dim"),
    "cfg.input.type": Needs.one_of("temporal"),
    "cfg.use_noise": Needs.one_of(False),
    "cfg.motion.z_dim": Says("motion_z_dim"),
    "cfg.motion.v_dim": Says("motion_v_dim"),
    "cfg.motion.motion_z_distance": Says("motion_distance"),
    "cfg.motion.gen_strategy": Needs.one_of("conv"),
    "cfg.motion.kernel_size": Says("motion_kernel_size"),
    "cfg.motion.fourier": Needs.one_of(True),
    "cfg.motion.use_fractional_t": Inert("whether training draws times between frames"),
    "cfg.time_enc.cond_type": Needs.one_of("concat_const"),
    "cfg.time_enc.dim": Says("time_encoding_dim"),
    "cfg.time_enc.min_period_len": Says("min_period"),
    "cfg.time_enc.max_period_len": Says("max_period"),
    "cfg.time_enc.phase_dropout_std": Inert("the release computes the same with it, in training too"),
}

_DISCRIMINATOR: dict[str, Setting] = {
    **DISCRIMINATOR_SETTINGS,
    **SAMPLING,
    "cfg.mbstd_group_size": Says("mbstd_group_size"),
    "cfg.concat_res": Says("concat_resolution"),
    "cfg.num_frames_div_factor": Says("frame_channel_divisor"),
    "cfg.dummy_c": Needs.one_of(False),
}


def _measured_generator(shapes: Shapes) -> Config:
    found = mapping_sizes(shapes) | synthesis_sizes(shapes)
    noise = size(shapes, f"{_MOTION}.conv.0.weight", 1) - found["label_dim"]
    if noise != found["z_dim"]:
        raise WeightsError(f"its motion noise is {noise} wide and z {found['z_dim']}: no component has two widths")
    return {
        **found,
        "motion_z_dim": noise,
        "motion_v_dim": size(shapes, f"{_MOTION}.conv.1.weight", 0),
        "motion_kernel_size": size(shapes, f"{_MOTION}.conv.0.weight", 2),
        "time_encoding_dim": size(shapes, f"{_ENCODER}.periods_predictor.weight", 0),
    }


def _generator(config: Mapping[str, Any]) -> Config:
    return {
        "type": "stylegan2",
        **common_keys(config),
        **{key: config[key] for key in ("z_dim", "w_dim", "mapping_layers")},
        **times(config),
        "motion_width": 2 * config["time_encoding_dim"],
        "motion": {
            "type": "conv1d",
            "distance": config["motion_distance"],
            "code_dim": config["motion_v_dim"],
            "kernel": config["motion_kernel_size"],
            "spacing": config.get("period_spacing", "log"),  # its constants show whether that is right
            **{key: config[key] for key in ("min_period", "max_period")},
        },
    }


def _measured_discriminator(shapes: Shapes) -> Config:
    found = residual_sizes(shapes)
    table, width = (size(shapes, "time_encoder.const_embed.weight", i) for i in (0, 1))
    joined = _joined(shapes)
    seen = joined.pop("frames_per_clip", 1)
    one_distance = width + 2 * math.ceil(math.log2(max(table, 2)))
    condition = size(shapes, "mapping.embed.weight", 1) if "mapping.embed.weight" in shapes else 0
    return {
        **found,
        **joined,
        "frames_per_clip": seen,
        "max_frames": table,
        "time_embedding_dim": width,
        "label_dim": condition - (seen - 1) * one_distance,
    }


def _joined(shapes: Shapes) -> Config:
    """Where the features of a clip's frames are concatenated: the first block with more input channels than the one
    before it has output channels."""
    for r in reversed(sides(shapes, r"b(\d+)\.conv1\.weight")):
        given, name = size(shapes, f"b{r}.conv1.weight", 0), f"b{r // 2}.conv0.weight" if r > 8 else "b4.conv.weight"
        taken = size(shapes, name, 1) - (r == 8)  # the minibatch standard deviation is one more
        if taken != given:
            usual = size(shapes, name, 0)
            return {
                "concat_resolution": r // 2,
                "frames_per_clip": taken // given,
                "frame_channel_divisor": usual // given,
            }
    return {}


def _discriminator(config: Mapping[str, Any]) -> Config:
    kept = {"mapping_layers": "condition_layers", "time_embedding_dim": "time_embedding_dim"}
    return {
        "type": "hypernetwork",
        **common_keys(config),
        "max_frames": config["max_frames"],
        "frames": config["frames_per_clip"],
        "concat_resolution": config["concat_resolution"],
        "frame_channel_divisor": config["frame_channel_divisor"],
        "modulated": config.get("modulated_discriminator", False),
        "mbstd_group": config["mbstd_group_size"],
        **{ours: config[theirs] for ours, theirs in kept.items() if theirs in config},
        **clip(config),
    }


def _periods(config: Mapping[str, Any], shape: tuple[int, ...]) -> Tensor:
    found = periods(shape[-1], config["min_period"], config["max_period"], config.get("period_spacing", "log"))
    return found.view(1, -1)


def _octaves(config: Mapping[str, Any], shape: tuple[int, ...]) -> Tensor:
    octaves = math.ceil(math.log2(config["max_frames"]))
    return math.pi * 2.0 ** (torch.arange(octaves)[None] - octaves)


STYLEGAN_V = Layout(
    name="stylegan_v",
    title="StyleGAN-V",
    marker=r"synthesis\.motion_encoder\..*",
    generator=Part(
        rules=[
            *MAPPING,
            (r"synthesis\.b4\.input\.input\.const", "constant"),
            (r"synthesis\.b(\d+)\.(conv\d)\.(.*)", r"blocks.\1.layers.\2.\3"),
            (r"synthesis\.b(\d+)\.torgb\.(.*)", r"blocks.\1.rgb.\2"),
            (r"synthesis\.motion_encoder\.conv\.(\d)\.(\w+)", r"motion.network.layers.\1.\2"),
            (r"synthesis\.motion_encoder\.time_encoder\.periods_predictor\.weight", "head.encoding.period.weight"),
            (r"synthesis\.motion_encoder\.time_encoder\.phase_predictor\.weight", "head.encoding.phase.weight"),
            (r"synthesis\.motion_encoder\.time_encoder\.aligners_predictor\.weight", "head.encoding.aligner.weight"),
        ],
        measured=_measured_generator,
        settings=_GENERATOR,
        attributes=ATTRIBUTES,
        constants={
            **FILTERS,
            f"{_ENCODER}.freqs": Constant(
                lambda config, shape: 2 * math.pi / _periods(config, shape), "2π by min_period … max_period"
            ),
            f"{_ENCODER}.phase_scales": Constant(
                lambda config, shape: config["max_period"] / _periods(config, shape), "max_period by the periods"
            ),
        },
        assumed={"motion_distance": 16, "min_period": 16, "max_period": 1024, **TIMES},
        config=_generator,
    ),
    discriminator=Part(
        rules=[(r"time_encoder\.const_embed\.weight", "time_embedding.table"), *RESIDUAL],
        measured=_measured_discriminator,
        settings=_DISCRIMINATOR,
        attributes=ATTRIBUTES,
        constants={
            **FILTERS,
            "time_encoder.time_encoder.fourier_coefs": Constant(_octaves, "π by powers of two, up to max_frames"),
        },
        assumed={"mbstd_group_size": 4, "concat_resolution": 16, "frame_channel_divisor": 2, "clip_length": 16},
        config=_discriminator,
    ),
)
