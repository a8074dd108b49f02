"""Small configurations of every registered component, so that a new one is tested by existing."""

from __future__ import annotations

from typing import Any

from inrvid.registry import registry

SIZES: dict[str, Any] = {
    "resolution": 32,
    "clip_length": 8,
    "z_dim": 12,
    "w_dim": 12,
    "channel_base": 256,
    "channel_max": 16,
    "input_resolution": 16,
    "coord_dim": 6,
    "fmm_rank": 2,
    "mbstd_group": 2,
}


def small(kind: str, name: str, **keys: Any) -> dict[str, Any]:
    """`{"type": name, ...}` with those of `SIZES` and `keys` that the component has."""
    fields = registry(kind).config_class(name).model_fields
    return {"type": name, **{k: v for k, v in {**SIZES, **keys}.items() if k in fields}}


def combinations() -> list[tuple[str, str]]:
    """Every generator with every motion."""
    return [(g, m) for g in registry("generators").names() for m in registry("motions").names()]


def small_generator(generator: str, motion: str, **keys: Any) -> dict[str, Any]:
    return small("generators", generator, motion=small("motions", motion), **keys)
