"""Small configurations of every registered component, so that a new one is tested by existing."""

from __future__ import annotations

from inrvid.registry import registry
from inrvid.testing.sizes import small, small_generator

__all__ = ["combinations", "small", "small_generator"]


def combinations() -> list[tuple[str, str]]:
    """Every generator with every motion."""
    return [(g, m) for g in registry("generators").names() for m in registry("motions").names()]
