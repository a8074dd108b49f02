"""How good a generator is: `metrics` of features, and `score`, which compares it with held-out clips; `distances` of
plain arrays of features, which `detectors` make of clips with networks of known weights."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .distances import frechet_distance, inception_score, kernel_distance, precision_recall

__all__ = ["frechet_distance", "inception_score", "kernel_distance", "precision_recall"]


def __getattr__(name: str) -> Any:
    """Names are imported at their first use (PEP 562): configurations below this package need no torch."""
    if name not in __all__:
        raise AttributeError(f"module 'inrvid.evaluation' has no attribute '{name}'")
    return getattr(importlib.import_module("inrvid.evaluation.distances"), name)
