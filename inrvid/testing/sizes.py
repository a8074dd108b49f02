"""Small configurations of every registered component, so that a new one is tested by existing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..components import BUILT_IN
from ..registry import registry

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
    """`{"type": name, ...}` with those of `SIZES`, of its own `test_settings` and of `keys` that the component has."""
    fields = registry(kind).config_class(name).model_fields
    wanted = {**SIZES, **own_settings(kind, name), **keys}
    return {"type": name, **{key: value for key, value in wanted.items() if key in fields}}


def own_settings(kind: str, name: str) -> Mapping[str, Any]:
    """Keys that make it small enough for tests, as its class gives them."""
    return getattr(registry(kind).component(name), "test_settings", {})


def small_generator(generator: str, motion: str, **keys: Any) -> dict[str, Any]:
    return small("generators", generator, motion=small("motions", motion), **keys)


def built_in(kind: str) -> list[str]:
    """Names of the library's own."""
    return sorted(BUILT_IN.get(kind, {}))
