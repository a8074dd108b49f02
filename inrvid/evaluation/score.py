"""Scores of a training's generator against held-out clips."""

from __future__ import annotations

import functools

import torch

from ..data.open import open_dataset
from ..errors import DataError, InrvidError
from ..generators.base import VideoGenerator
from ..recipe.schema import Recipe
from ..registry import registry
from .clips import DatasetClips, GeneratorClips, Source, Window
from .detectors.base import Detector
from .evaluate import detector_name
from .features import Features, features_of
from .metrics.base import Metric

Scores = dict[str, float]


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
            self.metrics: list[Metric] = [registry("metrics").build(m) for m in recipe.eval.metrics]
            configs = {detector_name(metric.config.detector): metric.config.detector for metric in self.metrics}
            self.detectors: dict[str, Detector] = {n: registry("detectors").build(c) for n, c in configs.items()}
            for detector in self.detectors.values():
                detector.to(device)
            self.clips = min(recipe.eval.clips, len(self.dataset))
            if self.clips < 2:
                raise InrvidError(f"there is {self.clips} held-out video, scores need 2 at least")
            self._real_clips = DatasetClips(self.dataset, seed=recipe.seed)
            trial = self._features(self._real_clips, 2)
            self._scores(trial, trial)
        except InrvidError as error:
            raise InrvidError(f"eval: {error}\n  to train without scores: --set eval.metrics=[]") from None

    @functools.cached_property
    def _real(self) -> dict[Window, Features]:
        return self._features(self._real_clips, self.clips)

    @torch.no_grad()
    def __call__(self, generator: VideoGenerator) -> Scores:
        """Score by `metric/part`."""
        return self._scores(self._real, self._features(GeneratorClips(generator), self.clips))

    def _features(self, source: Source, count: int) -> dict[Window, Features]:
        found = {}
        for window in {metric.window(self._clip_length) for metric in self.metrics}:
            clips = source.choose(window, count)
            if len(clips) < 2:
                raise InrvidError(f"there are {len(clips)} held-out videos of {window}, scores need 2 at least")
            found[window] = features_of(source, window, clips, self._detectors(window), device=self.device)
            if len(clips) - found[window].unreadable < 2:
                readable = len(clips) - found[window].unreadable
                raise DataError(f"{source.name}: {readable} of its videos can be decoded, scores need 2 at least")
        return found

    def _detectors(self, window: Window) -> dict[str, Detector]:
        seeing = [metric for metric in self.metrics if metric.window(self._clip_length) == window]
        return {name: self.detectors[name] for name in {detector_name(m.config.detector) for m in seeing}}

    def _scores(self, real: dict[Window, Features], fake: dict[Window, Features]) -> Scores:
        scores: Scores = {}
        for metric in self.metrics:
            window, name = metric.window(self._clip_length), detector_name(metric.config.detector)
            parts = self.detectors[name].parts
            found = metric.score(real[window].by_detector[name], fake[window].by_detector[name], parts)
            scores |= {f"{metric.name}/{part}" if part else metric.name: value for part, value in found.items()}
        return scores

    @property
    def _clip_length(self) -> int:
        return self.recipe.generator.clip_length
