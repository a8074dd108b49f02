"""Networks of the releases of MoCoGAN and of MoCoGAN+SG2 → the library's, with their weights.

A file is a safetensors file with the weights under the release's names, each network below its own prefix (`G.`,
`D_image.`, `V.`, …), and the release's settings as JSON under the metadata key `config`. Anything else is ignored.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from inrvid import VideoGenerator, build_generator
from inrvid.plugins import InrvidError, ModelError, WeightsError, read_metadata, read_weights

from .convolutions import ClipCritic, FrameCritic
from .discriminator_sg2 import VideoCritic

Rules = list[tuple[str, str]]
"""(pattern of the release's name, ours)."""

FULL = {"D_image": True, "D_patch_image": False, "D_video": True, "D_patch_video": False, "D_categorical_video": True}
"""MoCoGAN's discriminators: whether the last convolution is without padding."""
MOCOGAN: Rules = [(r"main\.(.*)", r"main.\1"), (r"recurrent\.(\w+)", r"motion.recurrent.\1_l0")]
SG2: Rules = [
    (r"mapping\.w_avg", "mapping.w_average"),
    (r"mapping\.fc(\d+)\.(\w+)", r"mapping.layers.\1.\2"),
    (r"mapping\.embed\.(\w+)", r"mapping.embed.\1"),
    (r"synthesis\.motion_encoder\.rnn\.(\w+)", r"motion.lstm.\1"),
    (r"synthesis\.motion_encoder\.mapping\.fc(\d+)\.(\w+)", r"head.mapping.layers.\1.\2"),
    (r"synthesis\.motion_encoder\.mapping\.embed\.(\w+)", r"head.mapping.embed.\1"),
    (r"synthesis\.b4\.input\.(?:input|input\.const|const)", "constant"),
    (r"synthesis\.b(\d+)\.(conv\d)\.(?!resample_filter)(.*)", r"blocks.\1.layers.\2.\3"),
    (r"synthesis\.b(\d+)\.torgb\.(.*)", r"blocks.\1.rgb.\2"),
]
FILTER = r".*\bresample_filter"
"""A constant."""


def from_official(path: str | Path) -> tuple[VideoGenerator, dict[str, nn.Module], dict[str, Any]]:
    """The networks of a release's file, in evaluation mode.

    Returns (generator, discriminators by the release's name, the release's settings). The discriminators are those that
    the file has, as functions of what the release gives them: `D_image` and `D_patch_image` (`FrameCritic`) of frames
    `[N, C, 64, 64]`, `D_video`, `D_patch_video` and `D_categorical_video` (`ClipCritic`) of clips `[B, C, T, 64, 64]`,
    whose `with_classes` gives the class logits too; MoCoGAN+SG2's `V` of clips `[B, 3, 16, R, R]`. They give logits
    in the release's shapes. Frames are `[B, T, C, R, R]` with MoCoGAN's C, 1 or 3. Noise of the layers is added
    only within `inrvid.plugins.instance_noise`.

    Raises:
        ModelError: no such file, of no release's layout, or with weights or settings that do not fit each other.
    """
    try:
        weights, config = read_weights(Path(path)), json.loads(read_metadata(Path(path)).get("config", "null"))
        if not isinstance(config, Mapping):
            raise WeightsError("it has no settings (a mapping as JSON, metadata key 'config')")
        generator, discriminators = _networks(weights, config)
    except KeyError as error:
        raise ModelError(f"{path}: its settings lack {error}") from None
    except (WeightsError, InrvidError, ValueError, TypeError, RecursionError) as error:
        raise ModelError(f"{path}: {' '.join(str(error).split())}") from None
    return generator, discriminators, dict(config)


def _networks(weights: Mapping[str, Tensor], config: Mapping[str, Any]) -> tuple[VideoGenerator, dict[str, nn.Module]]:
    G = _below("G", weights)
    if "recurrent.weight_ih" in G:
        sigma = float(config.get("noise_sigma", 0.0))
        judges = {name: _judge(_below(name, weights), full, sigma) for name, full in FULL.items()}
        found = {name: judge for name, judge in judges.items() if judge is not None}
        return _filled(build_generator(_mocogan(G, config)), G, MOCOGAN), found
    if "synthesis.motion_encoder.rnn.weight_ih_l0" in G:
        video = _video_critic(_below("V", weights))
        return _filled(build_generator(_sg2(G, config)), G, SG2), {} if video is None else {"V": video}
    raise WeightsError(
        "neither MoCoGAN's nor MoCoGAN+SG2's: no weight is G.recurrent.* or G.synthesis.motion_encoder.rnn.*"
    )


def _mocogan(G: Mapping[str, Tensor], config: Mapping[str, Any]) -> dict[str, Any]:
    side = int(config.get("image_size", 64))
    ngf, motion = int(config["ngf"]), int(config["dim_z_motion"])
    return {
        "type": "mocogan",
        "resolution": side,
        "clip_length": config["video_length"],
        "z_dim": config["dim_z_content"],
        "label_dim": config.get("dim_z_category", 0),
        "channels": config["n_channels"],
        "channel_base": ngf * side // 2,
        "channel_max": ngf * side // 8,
        "motion_dim": motion,
        "motion": {"type": "gru", "code_dim": motion},
    }


def _sg2(G: Mapping[str, Tensor], config: Mapping[str, Any]) -> dict[str, Any]:
    encoder = "synthesis.motion_encoder"
    classes = int(config.get("c_dim", 0))
    return {
        "type": "stylegan2",
        "resolution": config["resolution"],
        "label_dim": classes,
        **{key: config[key] for key in ("z_dim", "w_dim", "channel_base", "channel_max")},
        "mapping_layers": sum(re.fullmatch(r"mapping\.fc\d+\.weight", name) is not None for name in G),
        "motion_width": config["motion_v_dim"],
        "motion_input": "styles",
        "motion": {
            "type": "lstm",
            "distance": float(config["motion_z_distance"]),
            "code_dim": G[f"{encoder}.rnn.weight_hh_l0"].shape[1],
            "noise_dim": G[f"{encoder}.rnn.weight_ih_l0"].shape[1] - classes,
        },
    }


def _judge(weights: Mapping[str, Tensor], full: bool, noise: float) -> nn.Module | None:
    """One of MoCoGAN's discriminators, as large as its weights say; None: the file does not have it."""
    convolutions = _convolutions(weights)
    if not convolutions:
        return None
    outputs, widths = convolutions[-1].shape[0], _widths(convolutions[:-1])
    clips = convolutions[0].ndim == 5
    made = ClipCritic(widths, outputs, full=full, noise=noise) if clips else FrameCritic(widths, full=full, noise=noise)
    return _filled(made, weights, [])


def _video_critic(weights: Mapping[str, Tensor]) -> nn.Module | None:
    convolutions = _convolutions(weights)
    if not convolutions:
        return None
    halving = [weight for weight in convolutions[:-1] if weight.shape[-1] == 4]
    extra = len(convolutions) - 1 - len(halving)
    return _filled(VideoCritic(_widths(halving), full=True, noise=0.1, extra=extra), weights, [])


def _convolutions(weights: Mapping[str, Tensor]) -> list[Tensor]:
    """Weights of a discriminator's convolutions in their order; empty without weights. Raises WeightsError: too few."""
    found = ((re.fullmatch(r"main\.(\d+)\.weight", name), w) for name, w in weights.items())
    numbered = {int(match[1]): w for match, w in found if match}
    convolutions = [numbered[i] for i in sorted(numbered) if numbered[i].ndim > 2]
    if weights and len(convolutions) < 2:
        raise WeightsError(
            f"a discriminator has two convolutions or more (main.<n>.weight), here are {len(convolutions)}"
        )
    return convolutions


def _widths(convolutions: list[Tensor]) -> list[int]:
    if not convolutions:
        raise WeightsError("a discriminator of clips has convolutions of 4 a side, here are none")
    return [convolutions[0].shape[1], *(weight.shape[0] for weight in convolutions)]


def _below(network: str, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Weights of a network, without its prefix; other tensors of a file, such as results, are left out."""
    own = {name.removeprefix(f"{network}."): w for name, w in weights.items() if name.startswith(f"{network}.")}
    return {name: w for name, w in own.items() if re.match(r"(main|recurrent|mapping|synthesis)\.", name)}


def _filled(network: Any, weights: Mapping[str, Tensor], rules: Rules) -> Any:
    """The network with these weights. Raises WeightsError unless they are all of its own and no others."""
    found, expected = renamed(weights, rules), network.state_dict()
    for name in sorted({*expected} ^ {*found}):
        raise WeightsError(
            f"it lacks the weight {name}" if name in expected else f"its weight {name} is none of the layout's"
        )
    with torch.no_grad():
        for name, own in expected.items():
            if _without_ones(own.shape) != _without_ones(found[name].shape):
                theirs, ours = list(found[name].shape), list(own.shape)
                raise WeightsError(f"its weight {name} is {theirs}, where its settings make it {ours}")
            own.copy_(found[name].view(own.shape))
    return network.eval()


def _without_ones(shape: Sequence[int]) -> list[int]:
    """Constants, biases and 1×1 convolutions have dimensions of one in one layout, none in the other."""
    return [length for length in shape if length != 1]


def renamed(weights: Mapping[str, Tensor], rules: Rules) -> dict[str, Tensor]:
    """Under our names, without constants; a name that no rule knows is kept."""
    return {_renamed(name, rules): w for name, w in weights.items() if not re.fullmatch(FILTER, name)}


def _renamed(name: str, rules: Rules) -> str:
    for pattern, ours in rules:
        match = re.fullmatch(pattern, name)
        if match:
            return match.expand(ours)
    return name
