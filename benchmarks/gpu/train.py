"""The small models that are published."""

from __future__ import annotations

from pathlib import Path


def run(out: Path, minutes: float, smoke: bool) -> None:
    """To come."""
