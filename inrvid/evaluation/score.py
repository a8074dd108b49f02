"""Scores of a training's generator against held-out clips: quick ones, or by a protocol."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

import torch

from ..data.open import open_dataset
from ..errors import DataError, InrvidError
from ..generators.base import VideoGenerator
from ..recipe.schema import Recipe
from ..registry import registry
from .clips import DatasetClips, GeneratorClips, Source, Window, classes_of
from .detectors.base import Detector
from .evaluate import Evaluation
from .features import Features, features_of
from .measures import built, detector_name
from .metrics.base import Metric
from .protocol import Protocol, load_protocol
from .record import Record
from .subjects import Given, GivenModel, real_subject

Scores = dict[str, float]
"""Scores by `metric/part`."""

Check = Callable[[], None]

TRIAL = 64
"""Rows of features from which metrics are computed as a trial before a training."""


class Scorer:
    """Compares generators with the same held-out clips, whose features are computed once, when they are needed.

    `names`: those of the scores, `metric/part`.

    Raises:
        InrvidError: there are no held-out clips, or too few, or a metric cannot be computed from them: a trial with the
            first two shows this before the training rather than after it.
    """

    def __init__(self, recipe: Recipe, device: torch.device):
        self.recipe, self.device = recipe, device
        config = recipe.data.model_dump(mode="json") | recipe.eval.data
        try:
            self.dataset = open_dataset(config)
            self.metrics, self.detectors, _ = built(recipe.eval.metrics, device)
            self.clips = min(recipe.eval.clips, len(self.dataset))
            if self.clips < 2:
                raise InrvidError(
                    f"there is {self.clips} held-out video, scores need at least 2: to score clips of it: "
                    "--set eval.data.cut=clips"
                )
            self._real_clips = DatasetClips(self.dataset, seed=recipe.seed)
            self._real: dict[Window, Features] = {}
            trial = self._features(self._real_clips, 2)
            self.names = [
                name
                for metric in self.metrics
                for name in _try(metric, trial[metric.window(self._clip_length)], self.detectors, self.clips)
            ]
        except InrvidError as error:
            raise unscored(error) from None

    @torch.no_grad()
    def __call__(self, generator: VideoGenerator, check: Check = lambda: None) -> Scores:
        """Scores by `metric/part`.

        Args:
            check: called between batches; what it raises ends the scoring.
        """
        self._real = self._real or self._features(self._real_clips, self.clips, check)
        return self._scores(self._real, self._features(self._clips_of(generator), self.clips, check))

    def _features(self, source: Source, count: int, check: Check = lambda: None) -> dict[Window, Features]:
        found = {}
        for window in {metric.window(self._clip_length) for metric in self.metrics}:
            clips = source.choose(window, count)
            if len(clips) < 2:
                raise InrvidError(f"there are {len(clips)} held-out videos of {window}, scores need at least 2")
            side = self.recipe.generator.resolution
            found[window] = features_of(
                source, window, clips, self._detectors(window), device=self.device, resolution=(side, side),
                advance=lambda clips: check(),
            )  # fmt: skip
        return found

    def _clips_of(self, generator: VideoGenerator) -> GeneratorClips:
        return GeneratorClips(generator, classes=classes_of(self.dataset, generator))

    def _detectors(self, window: Window) -> dict[str, Detector]:
        seeing = [metric for metric in self.metrics if metric.window(self._clip_length) == window]
        return {name: self.detectors[name] for name in {detector_name(m.config.detector) for m in seeing}}

    def _scores(self, real: dict[Window, Features], fake: dict[Window, Features]) -> Scores:
        scores: Scores = {}
        for metric in self.metrics:
            window, name = metric.window(self._clip_length), detector_name(metric.config.detector)
            parts = self.detectors[name].parts
            found = metric.score(real[window].by_detector[name], fake[window].by_detector[name], parts)
            scores |= {metric.score_name(part): value for part, value in found.items()}
        return scores

    @property
    def _clip_length(self) -> int:
        return self.recipe.generator.clip_length


class ProtocolScorer:
    """Applies `eval.protocol` to generators, with the held-out clips that `inrvid evaluate` takes for the saved model.

    `names`: those of the scores, `metric/part`.

    Args:
        name: what is scored, for records.

    Raises:
        InrvidError: there are fewer held-out clips than are to be scored, or a metric cannot be computed from them, as
            a trial with the first two shows.
    """

    def __init__(self, recipe: Recipe, device: torch.device, name: str):
        self.device, side = device, recipe.generator.resolution
        self.given = Given(
            name=name, resolution=(side, side), fps=recipe.generator.fps, clip_length=recipe.generator.clip_length,
            recipe=recipe.to_dict(),
        )  # fmt: skip
        try:
            self.protocol, variant = _protocol(recipe)
            # What both sides have in common here are the frames; their rate only matters for showing them.
            self.real = real_subject(None, self.given, self.protocol, any_rate=True)
            self.evaluation = Evaluation(
                self.protocol, variant, self.real, [], clip_length=self.given.clip_length,
                resolution=self.given.resolution, device=device, force=True,
            )  # fmt: skip
            self._notes = list(self.evaluation.notes)
            windows = sorted({metric.window(self.given.clip_length) for metric in self.evaluation.metrics})
            self.names = [name for window in windows for name in self._try(window)]
        except InrvidError as error:
            raise unscored(error) from None

    def __call__(self, generator: VideoGenerator, check: Check = lambda: None) -> Scores:
        """Scores of one run of the protocol, without errors: cheap enough for a look during training.

        Args:
            check: called between batches; what it raises ends the scoring.
        """
        return values(self._record(generator, self.protocol.model_copy(update={"runs": 1, "halves": 0}), check))

    def record(self, generator: VideoGenerator) -> Record:
        """The record with all that the protocol asks for."""
        return self._record(generator, self.protocol)

    def _record(self, generator: VideoGenerator, protocol: Protocol, check: Check = lambda: None) -> Record:
        self.evaluation.progress = lambda what, done, total: check()
        model = GivenModel.of(self.given.name, generator, self.given.recipe)
        self.evaluation.protocol, self.evaluation.notes = protocol, list(self._notes)
        self.evaluation.fakes = model.subjects(protocol, self.real)
        return self.evaluation()

    def _try(self, window: Window) -> list[str]:
        """Try the metrics of a window out; returns the names of their scores."""
        clips = self.real.source.choose(window, self.protocol.clips)
        if len(clips) < self.protocol.clips:
            less = f": --set eval.clips={len(clips)}" if len(clips) > 1 else ", in longer videos"
            raise InrvidError(
                f"{self.real.side.name}: there are {len(clips)} held-out clips of {window}, to be scored are "
                f"{self.protocol.clips}{less}"
            )
        metrics = [m for m in self.evaluation.metrics if m.window(self.given.clip_length) == window]
        names = {detector_name(metric.config.detector) for metric in metrics}
        detectors = {name: self.evaluation.detectors[name] for name in names}
        found = features_of(self.real.source, window, clips[:2], detectors, device=self.device)
        if found.unreadable == 2:
            raise DataError(f"{self.real.side.name}: the first two held-out videos cannot be decoded")
        return [name for metric in metrics for name in _try(metric, found, detectors, len(clips))]


def _try(metric: Metric, found: Features, detectors: Mapping[str, Detector], clips: int) -> list[str]:
    """Try a metric out; returns the names of its scores. Raises InrvidError if it cannot be computed from this many
    clips, as far as features of the first ones tell."""
    name = detector_name(metric.config.detector)
    rows = found.by_detector[name]
    rows = rows[torch.arange(min(clips, max(TRIAL, metric.fewest))) % len(rows)]
    return [metric.score_name(part) for part in metric.score(rows, rows, detectors[name].parts)]


def scorer_of(recipe: Recipe, device: torch.device, name: str) -> Scorer | ProtocolScorer | None:
    """What scores a training's generators; None where nothing is measured.

    Raises:
        InrvidError: as the scorers; or `train.keep_best` is not one of the scores.
    """
    scorer: Scorer | ProtocolScorer | None = None
    if recipe.eval.metrics:
        scorer = Scorer(recipe, device) if recipe.eval.protocol is None else ProtocolScorer(recipe, device, name)
    names, best = [] if scorer is None else scorer.names, recipe.train.keep_best
    if best is not None and best not in names:
        there = f"expected {' or '.join(names)}" if names else "eval.metrics has nothing"
        raise InrvidError(f"train.keep_best: '{best}' is not measured: {there}")
    return scorer


def higher_is_better(recipe: Recipe, score: str | None) -> bool:
    """Whether `score` (metric/part) is of a metric for which higher is better."""
    if score is None:
        return False
    metrics: list[Metric] = [registry("metrics").build(part) for part in recipe.eval.metrics]
    return any(metric.better == "higher" for metric in metrics if metric.name == score.split("/")[0])


def values(record: Record) -> Scores:
    return {name: score.value for name, score in record.scores.items()}


def unscored(error: InrvidError) -> InrvidError:
    return InrvidError(f"eval: {error}\n  to train without scores: --set eval.metrics=[]")


def _protocol(recipe: Recipe) -> tuple[Protocol, dict]:
    """The recipe's protocol, with the recipe's metrics and clips, and what differs from the one of that name."""
    metrics = json.dumps(recipe.to_dict()["eval"]["metrics"])
    changes = [f"clips={recipe.eval.clips}", f"metrics={metrics}", "optional=[]"]
    return load_protocol(str(recipe.eval.protocol), changes)
