"""What config.json has for people, read only where it is as expected, since anybody may have written it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeGuard

from pydantic import RootModel

from ..documents import DocumentError, read
from ..errors import ModelError
from ..models.files import CONFIG

BEST_SEEDS, MOST_BEST = "best_seeds", 16
"""The key of the seeds selected to be shown, and how many there may be."""


class _Raw(RootModel[dict[str, Any]]):
    """config.json, all of it."""


def read_about(folder: Path) -> dict[str, Any]:
    """config.json of a model's folder. Raises ModelError if it is not a model's."""
    try:
        return read(folder / CONFIG, _Raw).root
    except DocumentError as error:
        raise ModelError(f"{folder / CONFIG}: not a model of inrvid: {error}") from None


def section(about: Mapping[str, Any], *keys: str) -> dict[str, Any]:
    """The mapping at `keys`, or an empty one where there is none."""
    found: Any = about
    for key in keys:
        found = found.get(key) if isinstance(found, Mapping) else None
    return dict(found) if isinstance(found, Mapping) else {}


def text(about: Mapping[str, Any], key: str) -> str:
    """The text at `key`, or an empty one."""
    value = about.get(key)
    return value if isinstance(value, str) else ""


def number(about: Mapping[str, Any], key: str) -> float | int | None:
    """The number at `key`; None if there is none, or if it is larger than any count."""
    value = about.get(key)
    return value if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e15 else None


def best_seeds(about: Mapping[str, Any]) -> list[int]:
    """The seeds selected to be shown; empty if none were."""
    value = about.get(BEST_SEEDS)
    return list(value) if are_best(value) else []


def are_best(value: Any) -> TypeGuard[list[int]]:
    """Whether it is a list of seeds that can be shown as selected ones."""
    are_seeds = isinstance(value, list) and all(type(seed) is int and 0 <= seed < 2**63 for seed in value)
    return are_seeds and 0 < len(value) <= MOST_BEST and len(set(value)) == len(value)


def without_paths(value: Any) -> Any:
    """Plain data in which only the last part is left of every path to a place on a machine."""
    if isinstance(value, Mapping):
        return {key: _last_part(x) if key == "path" else without_paths(x) for key, x in value.items()}
    if isinstance(value, list | tuple):
        return [without_paths(item) for item in value]
    return _last_part(value) if isinstance(value, str) and PLACE.match(value) else value


PLACE = re.compile(r"/|~/|~[A-Za-z_]\w*/|\.\.?/|[A-Za-z]:[\\/]|\\\\|file:")
"""How a text begins that can only be a path; the data's own path may be relative."""


def _last_part(value: Any) -> Any:
    return re.split(r"[\\/]", value.rstrip("\\/"))[-1] if isinstance(value, str) else value
