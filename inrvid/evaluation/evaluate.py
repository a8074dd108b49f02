"""Applying a protocol: two sources of clips → a record."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import platform
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch

from .. import __version__
from ..errors import InrvidError
from ..files import cache_directory
from .clips import Clip, DatasetClips, Source, Window
from .detectors.base import Detector
from .features import Features, Share, features_of, load_features, save_features
from .measures import built, detector_name
from .metrics.base import Metric
from .protocol import Protocol
from .record import Record, Score, Side
from .uncertainty import extrapolated, spread_of_halves

FEWEST, ENOUGH = 256, 2048
"""Numbers of clips below which a score is refused, and below which it gets a note."""

Progress = Callable[[str, int, int], None]
"""(what, clips done, of how many)."""


@dataclasses.dataclass(frozen=True)
class Subject:
    """One side of a comparison."""

    source: Source
    side: Side


@dataclasses.dataclass(frozen=True)
class Seen:
    """Features by window: of the real clips, and of each run's generated ones.

    Attributes:
        began: when the evaluation began, by `time.monotonic`.
    """

    real: Mapping[Window, Features]
    runs: Sequence[Mapping[Window, Features]]
    began: float


class Evaluation:
    """One protocol applied to one pair.

    Args:
        fakes: the generated side, one set for each run of the protocol.
        clip_length: number of frames that a metric sees if it does not say.
        force: score fewer clips than the protocol asks for, or than are needed for a number to mean something.
        fresh: compute features of real clips anew, even if they are in the cache.

    Raises:
        InrvidError: too few clips, unreadable ones, a detector without its weights, unless its metric is optional.
    """

    def __init__(
        self,
        protocol: Protocol,
        variant: Mapping[str, Any],
        real: Subject,
        fakes: Sequence[Subject],
        *,
        clip_length: int,
        resolution: tuple[int, int],
        device: torch.device,
        share: Share | None = None,
        force: bool = False,
        fresh: bool = False,
        progress: Progress = lambda what, done, total: None,
    ):
        self.protocol, self.variant, self.real, self.fakes = protocol, variant, real, fakes
        self.clip_length, self.resolution, self.device = clip_length, resolution, device
        self.share, self.force, self.fresh, self.progress = share or Share(), force, fresh, progress
        self.metrics, self.detectors, self.left_out = built(protocol.metrics, device, protocol.optional)
        self.notes = self.left_out + [
            f"{subject.side.name}: {len(subject.source.dataset.skipped)} videos cannot be used (inrvid data info)"
            for subject in (real, *fakes[:1])
            if isinstance(subject.source, DatasetClips) and subject.source.dataset.skipped
        ]

    def __call__(self) -> Record:
        return self.scored(self.look())

    def look(self) -> Seen:
        """Choose clips, and compute their features."""
        began = time.monotonic()
        clips = self.choose()
        real = {window: self.real_features(window, chosen[0]) for window, chosen in clips.items()}
        runs = []
        for number, fake in enumerate(self.fakes):
            name = "generated" if len(self.fakes) == 1 else f"generated, run {number + 1} of {len(self.fakes)}"
            runs.append({w: self.features(fake.source, w, chosen[1][number], name) for w, chosen in clips.items()})
        return Seen(real, runs, began)

    def scored(self, seen: Seen) -> Record:
        """The record, with the scores of all metrics."""
        scores: dict[str, Score] = {}
        for metric in self.metrics:
            scores |= self._scores(metric, seen)
        return self._record(scores, seen)

    def windows(self) -> dict[Window, list[Metric]]:
        """The metrics, grouped by the window that they see."""
        found: dict[Window, list[Metric]] = {}
        for metric in self.metrics:
            found.setdefault(metric.window(self.clip_length), []).append(metric)
        return found

    def choose(self) -> dict[Window, tuple[list[Clip], list[list[Clip]]]]:
        """Choose clips of both sides, by window. What cannot be scored is refused here, before anything is computed, or
        left out if it is optional.

        Raises:
            InrvidError: too few clips for a metric, or (without `force`) for any; clips of a length that a detector
                does not take.
        """
        clips: dict[Window, tuple[list[Clip], list[list[Clip]]]] = {}
        for window, metrics in self.windows().items():
            with self._leaving_out(metrics):
                clips[window] = self._chosen(window)
                for metric in metrics:
                    with self._leaving_out([metric]):
                        real, fakes = clips[window]
                        self._check(metric, window, len(real), min(map(len, fakes), default=0))
        if any(fake.side.settings.get("classes") == "evenly" for fake in self.fakes):
            why = "those of the real videos are not known (--data labels=true), or are not the model's"
            self.note(f"classes are generated evenly: {why}")
        return {window: clips[window] for window in self.windows()}

    @contextlib.contextmanager
    def _leaving_out(self, metrics: Sequence[Metric]) -> Iterator[None]:
        """If the block fails, leave these metrics out, provided that they are all optional."""
        try:
            yield
        except InrvidError as error:
            if not all(metric.config in self.protocol.optional for metric in metrics):
                raise
            for metric in metrics:
                self.metrics.remove(metric)
                self.note(f"{metric.name} is left out: {error}")

    def _check(self, metric: Metric, window: Window, real: int, fakes: int) -> None:
        self.detectors[detector_name(metric.config.detector)].check_frames(1 if window.singly else window.frames)
        for what, least, there in (("real", metric.fewest_real, real), ("generated", metric.fewest, fakes)):
            if there < least:
                raise InrvidError(f"{metric.name} needs at least {least} {what} clips, there are {there}")

    def _chosen(self, window: Window) -> tuple[list[Clip], list[list[Clip]]]:
        wanted = self.protocol.clips
        real = self.real.source.choose(window, wanted)
        fakes = [fake.source.choose(window, wanted) for fake in self.fakes]
        for subject, there in ((self.real, len(real)), *zip(self.fakes, map(len, fakes), strict=True)):
            if there >= wanted:
                continue
            short = ""
            if isinstance(subject.source, DatasetClips) and (count := subject.source.too_short(window)):
                least = subject.source.seen(window).end
                short = f" ({count} of its videos are shorter than {least} frames)"
            told = f"{subject.side.name}: {there} clips of {window}{short}, the protocol asks for {wanted}"
            if there < 2:
                raise InrvidError(f"{told}{self._more_clips(there)}")
            if not self.force:
                fewer = f"--set clips={there}{_forced(there)} scores that many on each side"
                raise InrvidError(f"{told}: {fewer}{self._more_clips(there)}")
            self.note(told)
        fewest = min([len(real), *map(len, fakes)])
        if fewest < FEWEST and not self.force:
            raise InrvidError(f"{fewest} clips are too few: below {FEWEST}, scores say little (--force shows them)")
        self._note_first(self.real.source, window, real)
        self._note_few(window, [real, *fakes])
        return real, fakes

    def _more_clips(self, there: int) -> str:
        """What takes more clips than the `there` of the real side, in words; empty: nothing does."""
        source = self.real.source
        if not isinstance(source, DatasetClips) or not source.one_a_video:
            return ""
        sources = [source.changed(one_a_video=False), *(fake.source for fake in self.fakes)]
        optional = self.protocol.optional
        windows = [w for w, metrics in self.windows().items() if any(m.config not in optional for m in metrics)]
        most = min([len(each.choose(w, self.protocol.clips)) for each in sources for w in windows], default=0)
        if most <= there:
            return ""
        return f"; --set real.one_a_video=false --set clips={most}{_forced(most)} scores more, several of a real video"

    def _note_few(self, window: Window, sides: Sequence[Sequence[Clip]]) -> None:
        """Add a note if there are so few clips that scores are larger for it."""
        subjects = zip((self.real, *self.fakes), sides, strict=True)
        fewest = min(map(len, sides))
        videos = min(len({subject.source.origin(clip) for clip in clips}) for subject, clips in subjects)
        if videos < ENOUGH and any(metric.biased for metric in self.windows()[window]):
            of = "" if videos == fewest else f"{fewest} clips of "
            what = "videos, whose clips are alike" if of else "clips"
            self.note(f"{of}{videos} {what}: below {ENOUGH}, distances are biased upwards")

    def _note_first(self, source: Source, window: Window, clips: Sequence[Clip]) -> None:
        """Add a note if videos were chosen by name and some were left out, perhaps whole classes."""
        if isinstance(source, DatasetClips) and source.order == "first":
            seen, there = len({clip.video for clip in clips}), len(source.dataset) - source.too_short(window)
            if seen < there:
                self.note(f"real clips: of the first {seen} of {there} videos by name, perhaps not of all classes")

    def note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)

    def _detectors(self, window: Window) -> dict[str, Detector]:
        names = {detector_name(metric.config.detector) for metric in self.windows()[window]}
        return {name: self.detectors[name] for name in sorted(names)}

    def features(
        self, source: Source, window: Window, clips: Sequence[Clip], what: str, seen: Window | None = None
    ) -> Features:
        """Features by all detectors that the metrics of a window have.

        Args:
            what: name for the progress.
            seen: window that is read in place of `window`.
        """
        done, seen = 0, seen or window

        def advance(count: int) -> None:
            nonlocal done
            done = min(done + count, len(clips))
            self.progress(f"{what}, {seen}", done, len(clips))

        found = features_of(
            source, seen, clips, self._detectors(window),
            device=self.device, resolution=self.resolution, share=self.share, advance=advance,
        )  # fmt: skip
        self._note_unreadable(source, found)
        return found

    def _note_unreadable(self, source: Source, found: Features) -> None:
        if found.unreadable:
            self.note(f"{source.name}: {found.unreadable} of {len(found.clips)} clips could not be decoded")

    def real_features(self, window: Window, clips: Sequence[Clip]) -> Features:
        """Features of real clips, from the cache if they are there. What cannot be read there is computed again."""
        paths = {name: self._path(window, name) for name in self._detectors(window)}
        known = {} if self.fresh else {name: load_features(path) for name, path in paths.items()}
        fewest = len(clips) if self._fails else 0
        complete = bool(known) and all(value is not None and len(value) >= fewest for value in known.values())
        if all(self.share.gather(complete)):
            by_detector = {name: value for name, value in known.items() if value is not None}
            kept = Features(by_detector, clips, len(clips) - len(next(iter(by_detector.values()))))
            self._note_unreadable(self.real.source, kept)
            return kept
        found = self.features(self.real.source, window, clips, "real")
        if self.share.rank == 0:
            for name, path in paths.items():
                save_features(path, found.by_detector[name])
        return found

    @property
    def _fails(self) -> bool:
        """Whether a real clip that cannot be read ends the evaluation."""
        source = self.real.source
        return isinstance(source, DatasetClips) and source.dataset.config.on_error == "fail"

    def _path(self, window: Window, detector: str) -> Path:
        protocol = self.protocol
        key = [
            self.real.source.fingerprint, self.real.side.settings, list(self.real.source.seen(window)),
            protocol.clips, protocol.real.model_dump(), protocol.seed,
            list(self.resolution), detector, self.detectors[detector].digest.model_dump(), self.device.type,
            __version__,
        ]  # fmt: skip
        digest = hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()
        return cache_directory() / "features" / f"{digest[:32]}.safetensors"

    def _scores(self, metric: Metric, seen: Seen) -> dict[str, Score]:
        window, name = metric.window(self.clip_length), detector_name(metric.config.detector)
        parts = self.detectors[name].parts
        of_real = seen.real[window].by_detector[name]
        of_runs = [run[window].by_detector[name] for run in seen.runs]
        videos = seen.real[window].videos(self.real.source), seen.runs[0][window].videos(self.fakes[0].source)
        values = [metric.score(of_real, fake, parts) for fake in of_runs]
        mean = {part: float(np.mean([v[part] for v in values])) for part in values[0]}
        errors: dict[str, float] = {}
        how: Literal["runs", "halves", "none"] = "none"
        if len(of_runs) > 1:
            errors, how = {part: float(np.std([v[part] for v in values], ddof=1)) for part in mean}, "runs"
        elif self.protocol.halves > 1:
            errors = spread_of_halves(metric, of_real, of_runs[0], parts, self.protocol, videos)
            how = "halves" if errors else "none"
        rows = zip((of_real, of_runs[0]), videos, strict=True)
        few = metric.biased and min(len(x) if own is None else len({*own}) for x, own in rows) < ENOUGH
        more = extrapolated(metric, of_real, of_runs[0], parts, seed=self.protocol.seed, videos=videos) if few else {}
        return {
            metric.score_name(part): Score(
                value=value, error=errors.get(part), how=how, better=metric.better, more_clips=more.get(part)
            )
            for part, value in mean.items()
        }

    def _record(self, scores: dict[str, Score], seen: Seen) -> Record:
        def side(subject: Subject, found: Mapping[Window, Features]) -> Side:
            clips = {str(subject.source.seen(window)): len(features) for window, features in found.items()}
            return subject.side.model_copy(update={"clips": clips})

        package, package_version = self.protocol.package
        return Record(
            protocol=self.protocol.name,
            protocol_version=self.protocol.version,
            protocol_package=package,
            protocol_package_version=package_version,
            settings=self.protocol.model_dump(mode="json"),
            variant=dict(self.variant),
            detectors={name: detector.digest for name, detector in self.detectors.items()},
            resolution=list(self.resolution),
            real=side(self.real, seen.real),
            fake=side(self.fakes[0], seen.runs[0]),
            scores=scores,
            notes=self.notes,
            date=datetime.now(timezone.utc).isoformat(timespec="milliseconds"),
            device=self.device.type,
            threads=torch.get_num_threads(),
            versions={"inrvid": __version__, "torch": torch.__version__, "python": platform.python_version()},
            seconds=round(time.monotonic() - seen.began, 1),
        )


def _forced(clips: int) -> str:
    """What has to be said with so few clips for them to be scored."""
    return "" if clips >= FEWEST else " --force"
