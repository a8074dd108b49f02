"""The discriminator of the two image releases: StyleGAN2's (CVPR 2020), of single frames.

It is `hypernetwork` with one frame, which has no distances to embed: their table is one number wide and unused.
Names and shapes are those of DIGAN's `imageD`, which golden files prove.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from .family import ATTRIBUTES, DISCRIMINATOR_SETTINGS, FILTERS, RESIDUAL, common_keys, label_width, residual_sizes
from .layout import Config, Part, Shapes


def _measured(shapes: Shapes) -> Config:
    return {**residual_sizes(shapes), "label_dim": label_width(shapes)}


def _config(config: Mapping[str, Any]) -> Config:
    return {
        "type": "hypernetwork",
        **common_keys(config),
        "frames": 1,
        "concat_resolution": 4,
        "frame_channel_divisor": 1,
        "max_frames": 2,
        "time_embedding_dim": 1,
        "mbstd_group": config["mbstd_group_size"],
        **({"mapping_layers": config["condition_layers"]} if "condition_layers" in config else {}),
    }


DISCRIMINATOR = Part(
    rules=RESIDUAL,
    measured=_measured,
    settings=DISCRIMINATOR_SETTINGS,
    attributes=ATTRIBUTES,
    constants=FILTERS,
    fixed={"time_embedding.table": torch.zeros(2, 1)},
    assumed={"mbstd_group_size": 4},
    config=_config,
)
