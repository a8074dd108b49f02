"""Checks of a generator, with motions of each kind: no motion, one vector per video, a sequence of noises."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .sizes import small
from .training import ParallelChecks
from .videos import VideoChecks

MOTIONS = ("static", "global", "conv1d")


class KindChecks(VideoChecks, ParallelChecks):
    """Checks of a generator."""

    def configs(self, **keys: Any) -> Iterator[tuple[str, dict[str, Any]]]:
        for motion in MOTIONS:
            yield f"with {motion}", self.config(motion=small("motions", motion), **keys)

    def recipe_parts(self) -> dict[str, Any]:
        return {"generator": self.config()}
