"""How good a generator is.

- clips: which clips a score is made of; detectors: clips → features; features: streamed and shared by processes;
- own_clips: the same of one's own tensors;
- metrics: two sets of features → scores; distances, gaussians: of plain arrays; measures: both, built;
- protocol, protocols, protocol_files: all choices as data, and where they lie; subjects: what is compared with what;
  evaluate: a protocol applied → record; uncertainty: how far off a score may be;
- nearest: generated clips beside the real ones that they may be copies of;
- traps: what each choice does to a score; leaderboard: many records; score: of a training's generator.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .distances import frechet_distance, inception_score, kernel_distance, precision_recall
    from .own_clips import clip_features

_HOMES = {"clip_features": "own_clips"}
__all__ = ["clip_features", "frechet_distance", "inception_score", "kernel_distance", "precision_recall"]


def __getattr__(name: str) -> Any:
    """Names are imported at their first use (PEP 562): `import inrvid` needs no torch."""
    if name not in __all__:
        raise AttributeError(f"module 'inrvid.evaluation' has no attribute '{name}'")
    return getattr(importlib.import_module(f"inrvid.evaluation.{_HOMES.get(name, 'distances')}"), name)


def __dir__() -> list[str]:
    return __all__
