"""Precisions by name, as `train.precision` and `inrvid generate --precision` take them. Imports no torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from .errors import InrvidError

Precision = Literal["fp32", "tf32", "bf16", "fp16"]

HALF: dict[str, dict[str, Any]] = {
    "fp32": {"half_blocks": 0, "half_dtype": "float16"},
    "tf32": {"half_blocks": 0, "half_dtype": "float16"},
    "bf16": {"half_blocks": 99, "half_dtype": "bfloat16"},
    "fp16": {"half_blocks": 4, "half_dtype": "float16"},
}
"""What each means for a network: how many of its highest resolutions run in which half precision."""

HALF_KEYS = ("half_blocks", "half_dtype")


def in_precision(config: Mapping[str, Any], precision: str) -> dict[str, Any]:
    """The configuration of a network, as plain data, changed to run in this precision.

    Raises:
        InrvidError: no such precision.
    """
    if precision not in HALF:
        raise InrvidError(f"precision {precision}: expected one of {', '.join(HALF)}")
    return {**config, **{key: value for key, value in HALF[precision].items() if key in config}}


def choose_algorithms() -> None:
    """Let cuDNN try its convolution algorithms and keep the fastest: the same shapes recur throughout a training. On an
    H100 the first step takes up to a minute longer; how much the others gain was not measured separately."""
    import torch

    torch.backends.cudnn.benchmark = True


def set_tf32(precision: str) -> None:
    """Make the process compute float32 products on a GPU in TF32 with `tf32`, and exactly otherwise."""
    import torch

    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = precision == "tf32"
