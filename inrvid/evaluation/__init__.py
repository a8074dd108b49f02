"""How good a generator is.

- clips: which clips a score is computed from; detectors: clips → features; features: streamed, shared by processes;
- own_clips: features of one's own tensors;
- metrics: two sets of features → scores; distances, gaussians: the same for plain arrays; measures: builds metrics and
  detectors;
- protocol, protocols, protocol_files: all choices as data, and where they are found; subjects: what is compared with
  what; evaluate: applies a protocol → record; uncertainty: how far off a score may be;
- nearest: generated clips beside the real ones that they may be copies of;
- traps: what each choice does to a score; leaderboard: many records; score: scores of a generator in training.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..lazy import lazy_names

if TYPE_CHECKING:
    from .distances import frechet_distance, inception_score, kernel_distance, precision_recall
    from .own_clips import clip_features

__all__ = ["clip_features", "frechet_distance", "inception_score", "kernel_distance", "precision_recall"]

_HOMES = {
    "clip_features": "inrvid.evaluation.own_clips",
    "frechet_distance": "inrvid.evaluation.distances",
    "inception_score": "inrvid.evaluation.distances",
    "kernel_distance": "inrvid.evaluation.distances",
    "precision_recall": "inrvid.evaluation.distances",
}
# Reading a record needs no torch.
__getattr__, __dir__ = lazy_names(__name__, _HOMES)
