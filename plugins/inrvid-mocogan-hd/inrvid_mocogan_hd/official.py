"""Weights of the release's layout → models of this library.

A file is one safetensors file with what the release keeps in several: the image generator (`G.*`), the motion generator
(`R.*`), the statistics of W (`pca.comp`, `pca.stdev`), and the discriminators, for videos of the image generator's
domain (`in.D_3d.*`, `in.D_img.*`) and of another (`cross.D_3d.*`, `cross.D_img.*`), with the release's names below. Its
metadata may have the settings that no shape reveals, as JSON under `config`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from safetensors import SafetensorError, safe_open
from torch import Tensor

from inrvid import build_discriminator, build_generator
from inrvid.plugins import Discriminator, InrvidError, ModelError, VideoGenerator

Tensors = Mapping[str, Tensor]


class Official(NamedTuple):
    """What a file holds, as this library has it."""

    generator: VideoGenerator
    discriminators: dict[str, Discriminator]
    """By domain: `in`, `cross`."""
    info: dict[str, Any]
    """The file's settings."""


def from_official(path: str | Path) -> Official:
    """The models of a file. Raises ModelError: not such a file, or weights that do not fit one another."""
    try:
        with safe_open(path, framework="pt") as file:
            settings = _settings((file.metadata() or {}).get("config", "{}"))
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        generator = _generator(tensors, settings)
        sides = {"resolution": generator.resolution, "size": settings.get("video_frame_size", 128)}
        frames = {"frames": generator.clip_length, "clip_length": generator.clip_length}
        makers: dict[str, Callable[..., Discriminator]] = {"in": _in_domain, "cross": _cross_domain}
        found = {
            domain: make(_below(tensors, f"{domain}."), settings, sides | frames)
            for domain, make in makers.items()
            if f"{domain}.D_3d.scale0_layer0.0.weight" in tensors
        }
    except (OSError, ValueError, TypeError, IndexError, RecursionError, SafetensorError, InrvidError) as error:
        raise ModelError(
            f"{path}: not a safetensors file of MoCoGAN-HD's layout: {' '.join(str(error).split())}"
        ) from None
    except KeyError as error:
        raise ModelError(f"{path}: not of MoCoGAN-HD's layout: it lacks {error}") from None
    except RuntimeError as error:  # of load_state_dict
        raise ModelError(f"{path}: weights that do not fit: {' '.join(str(error).split())}") from None
    return Official(generator, found, settings)


def _settings(text: str) -> dict[str, Any]:
    settings = json.loads(text)
    if not isinstance(settings, dict):
        raise ValueError("its settings (metadata key 'config') are no mapping")
    return settings


def _generator(tensors: Tensors, settings: Mapping[str, Any]) -> VideoGenerator:
    image, motion = _below(tensors, "G."), _below(tensors, "R.")
    channels = [len(image["conv1.activate.bias"])]
    channels += [len(image[f"convs.{i}.activate.bias"]) for i in range(1, _count(image, r"convs\.(\d+)\."), 2)]
    width, n_pca = motion["w"].shape
    w_dim = image["conv1.conv.modulation.weight"].shape[1]
    config = {
        "type": "mocogan_hd",
        "resolution": 2 ** (len(channels) + 1),
        "clip_length": settings.get("n_frames_G", 16),
        "z_dim": w_dim,
        "w_dim": w_dim,
        "mapping_layers": _count(image, r"style\.(\d+)\.") - 1,
        "n_pca": n_pca,
        "step": settings.get("w_residual", 0.2),
        "motion": {"type": "latent_walk", "code_dim": width, "recognises": True},
        "image": {"type": "stylegan2_noise", "channels": channels, "motion": {"type": "static"}},
    }
    G = build_generator(config)
    axes = tensors["pca.comp"][:n_pca] * tensors["pca.stdev"][:n_pca, None]
    state = _image(image) | _motion(motion) | {"axes": axes}
    own = {"image.mapping.w_average": G.state_dict()["image.mapping.w_average"]}  # the release computes it when needed
    G.load_state_dict(own | state)
    return G.eval()


def _image(theirs: Tensors) -> dict[str, Tensor]:
    """The image generator's weights under our names."""
    own: dict[str, Tensor] = {"image.constant": theirs["input.input"][0]}
    for name, value in theirs.items():
        if match := re.fullmatch(r"style\.(\d+)\.(weight|bias)", name):
            own[f"image.mapping.layers.{int(match[1]) - 1}.{match[2]}"] = value
        elif match := re.fullmatch(r"(conv1|convs\.(\d+))\.(.+)", name):
            layer = 0 if match[1] == "conv1" else int(match[2]) + 1
            if match[3] in LAYER:
                key, reshaped = LAYER[match[3]]
                own[f"image.layers.{layer}.{key}"] = reshaped(value)
        elif match := re.fullmatch(r"(to_rgb1|to_rgbs\.(\d+))\.(.+)", name):
            layer = 0 if match[1] == "to_rgb1" else int(match[2]) + 1
            if match[3] in RGB:
                key, reshaped = RGB[match[3]]
                own[f"image.rgbs.{layer}.{key}"] = reshaped(value)
    return own


def _same(x: Tensor) -> Tensor:
    return x


LAYER: dict[str, tuple[str, Callable[[Tensor], Tensor]]] = {
    "conv.weight": ("weight", lambda x: x[0]),
    "conv.modulation.weight": ("affine.weight", _same),
    "conv.modulation.bias": ("affine.bias", _same),
    "noise.weight": ("strength", _same),
    "activate.bias": ("bias", _same),
}
RGB: dict[str, tuple[str, Callable[[Tensor], Tensor]]] = {
    "conv.weight": ("weight", lambda x: x[0, :, :, 0, 0]),
    "conv.modulation.weight": ("affine.weight", _same),
    "conv.modulation.bias": ("affine.bias", _same),
    "bias": ("bias", lambda x: x[0, :, 0, 0]),
}


def _motion(theirs: Tensors) -> dict[str, Tensor]:
    """The motion generator's weights under our names."""
    cells = {name: value for name, value in theirs.items() if name.startswith("enc_cell.")}
    cells |= {f"{name}_l0": value for name, value in theirs.items() if name.startswith("cell.")}
    fc = {f"recogniser.{place}.{key}": theirs[f"fc{n}.{key}"] for n, place in ((1, 0), (2, 2)) for key in WEIGHTS}
    own = cells | fc | {"out.weight": theirs["w"].mT, "out.bias": theirs["b"]}
    return {f"head.{name}": value for name, value in own.items()}


WEIGHTS = ("weight", "bias")


def _in_domain(theirs: Tensors, settings: Mapping[str, Any], config: Mapping[str, Any]) -> Discriminator:
    clips, pictures = _below(theirs, "D_3d."), _below(theirs, "D_img.")
    D = build_discriminator({"type": "mocogan_hd", **config, **_pyramid_config(clips)})
    D.load_state_dict(_pyramid("video", clips) | _pyramid("image", pictures))
    return D


def _cross_domain(theirs: Tensors, settings: Mapping[str, Any], config: Mapping[str, Any]) -> Discriminator:
    clips, pictures = _below(theirs, "D_3d."), _below(theirs, "D_img.")
    now, average = (residual_state(_below(pictures, f"{name}.")) for name in ("modelD", "modelD_ema"))
    queue, width = pictures["q_real"].shape
    side = min(config["size"], config["resolution"])
    narrowest = len(now["blocks.0.conv1.bias"]) // (4 if side == 32 else 1)
    own = {"image_channels": narrowest, "projection": width, "queue": queue}
    D = build_discriminator({"type": "mocogan_hd_cross", **config, **_pyramid_config(clips), **own})
    state = _pyramid("video", clips)
    state |= {f"image.{name}": value for name, value in now.items()}
    state |= {f"average.{name}": value for name, value in average.items()}
    state["queues"] = pictures["q_real"].new_empty(2, queue, width)
    state["queues"][0], state["queues"][1] = pictures["q_real"], pictures["q_fake"]
    D.load_state_dict(state | {"written": pictures["q_ptr"][0]})
    return D


def residual_state(theirs: Tensors) -> dict[str, Tensor]:
    """A residual network's weights under our names."""
    own = {}
    for name, value in theirs.items():
        layer, _, key = name.rpartition(".")
        layer = re.sub(r"^blocks\.(\d+)\.0\.", r"blocks.\1.", layer).replace("conv_sc", "skip")
        key = {"weight_orig": "weight", "weight_u": "spectral.u", "weight_v": "spectral.v"}.get(key, key)
        own[f"{RESIDUAL.get(layer, layer)}.{key}"] = value
    return own


RESIDUAL = {"proj0": "features", "linear": "logit", "proj1": "project.0", "proj2": "project.2"}


def _pyramid_config(theirs: Tensors) -> dict[str, Any]:
    scales = _count(theirs, r"scale(\d+)_")
    norm = "batch" if "scale0_layer1.1.weight" in theirs else "instance"
    return {"width": len(theirs["scale0_layer0.0.bias"]), "scales": scales, "norm": norm}


def _pyramid(name: str, theirs: Tensors) -> dict[str, Tensor]:
    """A pyramid's weights under our names: the release counts scales from the coarsest on."""
    count = _count(theirs, r"scale(\d+)_")
    own = {}
    for theirs_name, value in theirs.items():
        match = re.fullmatch(r"scale(\d+)_layer(\d)\.(\d)\.(.+)", theirs_name)
        if match is not None:
            scale, layer, part = int(match[1]), int(match[2]), int(match[3])
            place = PLACES[layer] + part
            own[f"{name}.{count - 1 - scale}.{place}.{match[4]}"] = value
    return own


PLACES = (0, 2, 5, 8, 11)
"""Place of each layer's convolution in our sequence; its norm comes next."""


def _below(tensors: Tensors, prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}


def _count(tensors: Tensors, pattern: str) -> int:
    """One more than the largest number in names that begin so. Raises KeyError: there are none."""
    numbers = [int(match[1]) for name in tensors if (match := re.match(pattern, name))]
    if not numbers:
        raise KeyError(pattern.replace("\\", "").replace("(d+)", "<n>"))
    return max(numbers) + 1
