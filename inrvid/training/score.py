"""Scores of a generator against held-out clips."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from ..data.base import VideoDataset
from ..data.open import open_dataset
from ..generators.base import VideoGenerator
from ..metrics.base import Metric
from ..random import Draws
from ..recipe import Recipe
from ..registry import registry

Scores = dict[str, float]

BATCH = 16
SEED = 1_000_000
"""First seed of generated clips, away from those that sample grids show."""


class Scorer:
    """Compares generators with the same held-out clips, whose features are computed once."""

    def __init__(self, recipe: Recipe):
        config = recipe.data.model_dump(mode="json") | recipe.eval.data
        self.dataset = open_dataset(config)
        self.metrics: dict[str, Metric] = {m.type: registry("metrics").build(m) for m in recipe.eval.metrics}
        self.clips = min(recipe.eval.clips, len(self.dataset))
        self._real = self._features(real_clips(self.dataset, recipe, self.clips))

    @torch.no_grad()
    def __call__(self, generator: VideoGenerator) -> Scores:
        """Score by `metric/part`."""
        fake = self._features(generated_clips(generator, self.clips))
        scores = {name: metric.score(self._real[name], fake[name]) for name, metric in self.metrics.items()}
        return {f"{name}/{part}": value for name, parts in scores.items() for part, value in parts.items()}

    def _features(self, batches: Iterator[Tensor]) -> dict[str, dict[str, Tensor]]:
        found: dict[str, list[dict[str, Tensor]]] = {name: [] for name in self.metrics}
        for frames in batches:
            for name, metric in self.metrics.items():
                found[name].append({part: value.cpu() for part, value in metric.features(frames).items()})
        return {name: {part: torch.cat([f[part] for f in parts]) for part in parts[0]} for name, parts in found.items()}


def generated_clips(generator: VideoGenerator, count: int) -> Iterator[Tensor]:
    """Clips `[b, clip_length, 3, H, W]` in [−1, 1], from t = 0."""
    t = torch.arange(generator.clip_length, device=generator.device)
    for first in range(0, count, BATCH):
        inr = generator.inr(generator.sample_latents(min(BATCH, count - first), seed=SEED + first))
        yield torch.cat([inr[i](t).cpu() for i in range(len(inr))])  # one at a time: memory


def real_clips(dataset: VideoDataset, recipe: Recipe, count: int) -> Iterator[Tensor]:
    """One clip a video at a random offset, videos in a random order (both by the recipe's seed)."""
    length = dataset.config.clip_length
    order = np.random.Generator(np.random.Philox(recipe.seed)).permutation(len(dataset))[:count]
    for first in range(0, len(order), BATCH):
        videos = [int(video) for video in order[first : first + BATCH]]
        draws = Draws.of_batch(recipe.seed, "held-out clips", 0, videos)
        starts = draws.integers(torch.tensor([dataset.length(v) - length + 1 for v in videos])).tolist()
        clips = [dataset.read(v, range(s, s + length)) for v, s in zip(videos, starts, strict=True)]
        yield torch.from_numpy(np.stack(clips)).movedim(-1, 2).float() / 127.5 - 1
