"""Scores of a generator against held-out clips."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from ..data.base import VideoDataset
from ..data.open import open_dataset
from ..errors import DataError, InrvidError
from ..generators.base import VideoGenerator
from ..random import Draws
from ..recipe.schema import Recipe
from ..registry import registry
from .metrics.base import Metric

Scores = dict[str, float]

BATCH = 16
AT_ONCE = 4
"""Clips of a batch whose features are taken together, on the device, beside a training."""

SEED = 1_000_000
"""First seed of generated clips, away from those that sample grids show."""


class Scorer:
    """Compares generators with the same held-out clips, whose features are computed once, when they are needed.

    Raises:
        InrvidError: there are no held-out clips, or too few, or a metric cannot be computed of them: found by a trial
            with the first two, so that it is known before the training and not after it.
    """

    def __init__(self, recipe: Recipe, device: torch.device):
        self.recipe, self.device = recipe, device
        config = recipe.data.model_dump(mode="json") | recipe.eval.data
        try:
            self.dataset = open_dataset(config)
            self.metrics: dict[str, Metric] = {m.type: registry("metrics").build(m) for m in recipe.eval.metrics}
            self.clips = min(recipe.eval.clips, len(self.dataset))
            if self.clips < 2:
                raise InrvidError(f"there is {self.clips} held-out video, scores need 2 at least")
            trial = self._features(real_clips(self.dataset, recipe, 2))
            for name, metric in self.metrics.items():
                metric.score(trial[name], trial[name])
        except InrvidError as error:
            raise InrvidError(f"eval: {error}\n  to train without scores: --set eval.metrics=[]") from None

    @functools.cached_property
    def _real(self) -> dict[str, dict[str, Tensor]]:
        return self._features(real_clips(self.dataset, self.recipe, self.clips))

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
                for some in frames.split(AT_ONCE):
                    features = metric.features(some.to(self.device, non_blocking=True))
                    found[name].append({part: value.cpu() for part, value in features.items()})
        return {name: {part: torch.cat([f[part] for f in parts]) for part in parts[0]} for name, parts in found.items()}


def generated_clips(generator: VideoGenerator, count: int) -> Iterator[Tensor]:
    """Clips `[b, clip_length, 3, H, W]` in [−1, 1], from t = 0."""
    t = torch.arange(generator.clip_length, device=generator.device)
    for first in range(0, count, BATCH):
        inr = generator.inr(generator.sample_latents(min(BATCH, count - first), seed=SEED + first))
        yield torch.cat([inr[i](t).cpu() for i in range(len(inr))])  # one at a time: memory


def real_clips(dataset: VideoDataset, recipe: Recipe, count: int) -> Iterator[Tensor]:
    """One clip a video at a random offset, videos in a random order (both by the recipe's seed).

    Videos that cannot be decoded are passed over where the data's `on_error` says so; fewer clips come out then.
    Raises DataError: one cannot be decoded (`fail`), or fewer than two can.
    """
    order = np.random.Generator(np.random.Philox(recipe.seed)).permutation(len(dataset)).tolist()
    clips = (clip for video in order if (clip := _clip(dataset, recipe, video)) is not None)
    found = 0
    while batch := list(itertools.islice(clips, min(BATCH, count - found))):
        found += len(batch)
        yield torch.from_numpy(np.stack(batch)).movedim(-1, 2).float() / 127.5 - 1
    if found < 2:
        raise DataError(f"{dataset.config.path}: {found} of its videos can be decoded, scores need 2 at least")


def _clip(dataset: VideoDataset, recipe: Recipe, video: int) -> np.ndarray | None:
    length = dataset.config.clip_length
    draws = Draws.of_batch(recipe.seed, "held-out clips", 0, [video])
    start = int(draws.integers(torch.tensor([dataset.length(video) - length + 1])))
    try:
        return dataset.read(video, range(start, start + length))
    except DataError:
        if dataset.config.on_error == "fail":
            raise
        return None
