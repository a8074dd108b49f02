"""Weights of the authors' releases → inrvid's models.

`from_official` reads a safetensors file that holds a release's weights under its own names, `G.*` for the
generator and `D_state.*` for the discriminator, with the configuration as JSON in the metadata key `config`.
Only names and layouts are translated here, by the tables below; no number changes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import RootModel
from torch import Tensor, nn

from ..discriminators.base import Discriminator
from ..documents import DocumentError, parse
from ..errors import InrvidError, ModelError
from ..generators.base import VideoGenerator
from ..weights import Unfit, read_metadata, read_weights
from .build import build_discriminator, build_generator

Rules = list[tuple[str, str | Callable[[re.Match[str]], str]]]
"""(pattern of the release's name, ours); rules are tried in order, the first that matches is taken."""

_CONSTANTS = ("resample_filter", ".freqs", ".phase_scales", ".fourier_coefs")

_MAPPING: Rules = [
    (r"mapping\.w_avg", "mapping.w_average"),
    (r"mapping\.fc(\d+)\.(\w+)", r"mapping.layers.\1.\2"),
    (r"mapping\.embed\.(\w+)", r"mapping.embed.\1"),
]

_RESIDUAL: Rules = [
    *_MAPPING,
    (r"b\d+\.fromrgb\.(\w+)", r"rgb.\1"),
    (r"b4\.(conv|fc|out)\.(\w+)", r"epilogue.\1.\2"),
    (r"b(\d+)\.(conv0|conv1|skip)\.(\w+)", r"blocks.\1.\2.\3"),
]


class ReleaseConfig(RootModel[dict[str, Any]]):
    """A release's configuration; what its values must be, the models built from it say."""


@dataclass(frozen=True)
class Layout:
    """How one release names its weights and its configuration."""

    marker: str
    """A tensor that only this release has."""
    generator: Rules
    discriminator: Rules
    configs: Callable[[Mapping[str, Any]], tuple[dict[str, Any], dict[str, Any]]]
    """The release's configuration → (generator's, discriminator's)."""


def _digan_configs(config: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    common = {key: config[key] for key in ("resolution", "label_dim", "channel_base", "channel_max")}
    generator = {
        "type": "inr_gan",
        **common,
        **{key: config[key] for key in ("z_dim", "w_dim", "mapping_layers", "fmm_rank", "input_resolution")},
        "coord_dim": config["coord_embedding_dim"],
        "extra_layers": config["extra_convs"],
        "coords": {"type": "fourier", "sigma": config["sigma_xy"]},
        "motion": {"type": "global", "sigma_t": config["sigma_t"]},
    }
    return generator, {"type": "dual", **common, "mbstd_group": config["mbstd_group_size"]}


DIGAN = Layout(
    marker="D_state.videoD.b4.out.weight",
    generator=[
        *_MAPPING,
        (r"synthesis\.b4\.input\.input\.coord_fuser\.xyaffine\.(\w+)", r"blocks.4.embedding.coords.affine.\1"),
        (r"synthesis\.b4\.input\.input\.coord_fuser\.affine\.(\w+)", r"blocks.4.embedding.motion.affine.\1"),
        (r"synthesis\.b4\.input\.input\.coord_fuser\.motion_mlp\.(.*)", r"blocks.4.embedding.motion.mlp.\1"),
        (r"synthesis\.b(\d+)\.coord_fuser\.xyaffine\.(\w+)", r"blocks.\1.embedding.coords.affine.\2"),
        (r"synthesis\.b(\d+)\.coord_fuser\.affine\.(\w+)", r"blocks.\1.embedding.motion.affine.\2"),
        (r"synthesis\.b(\d+)\.coord_fuser\.motion_mlp\.(.*)", r"blocks.\1.embedding.motion.mlp.\2"),
        (r"synthesis\.b4\.conv1\.(.*)", r"blocks.4.layers.0.\1"),
        (r"synthesis\.b(\d+)\.conv(\d)\.(.*)", r"blocks.\1.layers.\2.\3"),
        (r"synthesis\.b(\d+)\.extra_convs\.(\d+)\.(.*)", lambda m: f"blocks.{m[1]}.layers.{2 + int(m[2])}.{m[3]}"),
        (r"synthesis\.b(\d+)\.torgb\.(.*)", r"blocks.\1.rgb.\2"),
    ],
    discriminator=[
        *((rf"imageD\.{pattern}", f"image.{name}") for pattern, name in _RESIDUAL),
        *((rf"videoD\.{pattern}", f"motion.{name}") for pattern, name in _RESIDUAL),
    ],
    configs=_digan_configs,
)


def _stylegan_v_configs(config: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    common = {key: config[key] for key in ("resolution", "label_dim", "channel_base", "channel_max")}
    generator = {
        "type": "stylegan2",
        **common,
        **{key: config[key] for key in ("z_dim", "w_dim", "mapping_layers")},
        "motion_width": 2 * config["time_encoding_dim"],
        "motion": {
            "type": "conv1d",
            "distance": config["motion_distance"],
            "code_dim": config["motion_v_dim"],
            "kernel": config["motion_kernel_size"],
            "spacing": config["period_spacing"],
            **{key: config[key] for key in ("min_period", "max_period")},
        },
    }
    discriminator = {
        "type": "hypernetwork",
        **common,
        "max_frames": config["max_frames"],
        "frames": config["frames_per_clip"],
        "concat_resolution": config["concat_resolution"],
        "frame_channel_divisor": config["frame_channel_divisor"],
        "modulated": config["modulated_discriminator"],
        "mbstd_group": config["mbstd_group_size"],
    }
    return generator, discriminator


STYLEGAN_V = Layout(
    marker="D_state.time_encoder.const_embed.weight",
    generator=[
        *_MAPPING,
        (r"synthesis\.b4\.input\.input\.const", "constant"),
        (r"synthesis\.b(\d+)\.(conv\d)\.(.*)", r"blocks.\1.layers.\2.\3"),
        (r"synthesis\.b(\d+)\.torgb\.(.*)", r"blocks.\1.rgb.\2"),
        (r"synthesis\.motion_encoder\.conv\.(\d)\.(\w+)", r"motion.network.layers.\1.\2"),
        (r"synthesis\.motion_encoder\.time_encoder\.periods_predictor\.weight", "head.encoding.period.weight"),
        (r"synthesis\.motion_encoder\.time_encoder\.phase_predictor\.weight", "head.encoding.phase.weight"),
        (r"synthesis\.motion_encoder\.time_encoder\.aligners_predictor\.weight", "head.encoding.aligner.weight"),
    ],
    discriminator=[
        (r"time_encoder\.const_embed\.weight", "time_embedding.table"),
        *_RESIDUAL,
    ],
    configs=_stylegan_v_configs,
)

LAYOUTS = [DIGAN, STYLEGAN_V]


def from_official(path: str | Path) -> tuple[VideoGenerator, Discriminator, dict[str, Any]]:
    """(generator, discriminator, info) of a release's weights; `info` is the file's configuration.

    Raises:
        ModelError: not such a file, or its tensors do not make the models that it describes.
    """
    path = Path(path)
    tensors, config = _read(path)
    layout = next((layout for layout in LAYOUTS if layout.marker in tensors), None)
    if layout is None:
        raise ModelError(f"{path}: no release's layout: it has none of {', '.join(x.marker for x in LAYOUTS)}")
    try:
        generator_config, discriminator_config = layout.configs(config)
        generator, discriminator = build_generator(generator_config), build_discriminator(discriminator_config)
    except KeyError as error:
        raise ModelError(f"{path}: the metadata key 'config' lacks {error}") from None
    except (InrvidError, TypeError) as error:
        raise ModelError(f"{path}: the metadata key 'config' is not that of a release: {error}") from None
    _load(generator, renamed(below("G.", tensors), layout.generator), path)
    _load(discriminator, renamed(below("D_state.", tensors), layout.discriminator), path)
    return generator, discriminator, config


def renamed(tensors: Mapping[str, Tensor], rules: Rules) -> dict[str, Tensor]:
    """Tensors under inrvid's names. Names that no rule knows are kept, so that loading them reports them.

    Constants of the release (filters, frequencies) are left out.
    """
    return {_rename(name, rules): value for name, value in tensors.items() if not name.endswith(_CONSTANTS)}


def below(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors whose name starts with `prefix`, without it."""
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}


def _rename(name: str, rules: Rules) -> str:
    for pattern, replacement in rules:
        match = re.fullmatch(pattern, name)
        if match:
            return match.expand(replacement) if isinstance(replacement, str) else replacement(match)
    return name


def _read(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    try:
        metadata, tensors = read_metadata(path), read_weights(path)
    except Unfit as error:
        raise ModelError(f"{path}: {error}") from None
    if "config" not in metadata:
        raise ModelError(f"{path}: its metadata has no key 'config' with the release's configuration as JSON")
    try:
        return tensors, parse(metadata["config"], ReleaseConfig).root
    except DocumentError as error:
        raise ModelError(f"{path}: the metadata key 'config' is not JSON of a configuration: {error}") from None


def _load(module: nn.Module, tensors: dict[str, Tensor], path: Path) -> None:
    targets = module.state_dict()
    # A pointwise convolution of a release, [out, in, 1, 1], is a matrix here; its constant has no batch dimension.
    shaped = {
        name: value.reshape(targets[name].shape)
        if name in targets
        and value.numel() == targets[name].numel()
        and (value.shape[2:] == (1, 1) or value.shape[0] == 1)
        else value
        for name, value in tensors.items()
    }
    try:
        module.load_state_dict(shaped)
    except RuntimeError as error:
        raise ModelError(f"{path}: {error}") from None
