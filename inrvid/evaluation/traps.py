"""How far each choice behind a score moves it, for one's own pair: the table of subtleties that papers show for theirs
(Skorokhodov et al., CVPR 2022, on FVD).

A trap is a name, a sentence, and a change to the two sources of clips. Sources that it leaves unchanged are looked at
only once.
"""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor

from ..documents import Document
from ..errors import InrvidError
from ..video_io.pictures import from_uint8
from .clips import Altered, Clip, DatasetClips, Source, Window, eight_bits
from .detectors.base import DetectorDigest
from .evaluate import Evaluation
from .features import Features
from .measures import detector_name
from .metrics.base import Metric
from .uncertainty import spread_of_halves

Change = Callable[[DatasetClips, Source], tuple[Source, Source]]
"""(real, generated) as the protocol chooses them → the two that are compared instead."""

FEWER = (256, 512, 1024, 2048)
"""Numbers of clips for which scores are shown, if there are more."""

QUALITY = 75
"""Of JPEG: Pillow's default, and so what releases were prepared with."""


@dataclasses.dataclass(frozen=True)
class Trap:
    """One row of the table.

    Attributes:
        sentence: what is done, for readers of the table.
        stride: that of the clips, in place of the metric's.
        even: take as many real clips as there are generated ones, however few.
    """

    name: str
    sentence: str
    change: Change = lambda real, fake: (real, fake)
    stride: int | None = None
    even: bool = False


class Row(Document):
    name: str
    sentence: str
    clips: dict[str, list[int]] = Field({}, description="numbers of real and generated clips, by window")
    scores: dict[str, float] = Field({})
    why_not: str = Field("", description="why there are no scores")


class Traps(Document):
    """The table: the protocol's own scores first."""

    inrvid_traps: Literal[1] = 1
    protocol: str
    protocol_version: int
    variant: dict[str, Any] = Field({}, description="what differs from the protocol of that name")
    detectors: dict[str, DetectorDigest] = Field({})
    resolution: list[int]
    real: str
    fake: str
    rows: list[Row]
    errors: dict[str, float] = Field({}, description="standard errors of the first row, by random halves")
    notes: list[str] = Field([])


def half_and_back(antialias: bool) -> Callable[[Tensor], Tensor]:
    """Frames resized to half their size and back, bilinear, rounded to 8 bits in between."""

    def change(frames: Tensor) -> Tensor:
        images, (height, width) = frames.flatten(0, 1), frames.shape[-2:]
        size = (max(1, height // 2), max(1, width // 2))
        small = eight_bits(F.interpolate(images, size, mode="bilinear", antialias=antialias))
        return eight_bits(F.interpolate(small, (height, width), mode="bilinear")).unflatten(0, frames.shape[:2])

    return change


def jpeg(frames: Tensor) -> Tensor:
    """Frames as they come back from a JPEG file of `QUALITY`."""
    from PIL import Image

    def stored(picture: Tensor) -> Tensor:
        file = io.BytesIO()
        Image.fromarray(picture.numpy()).save(file, "JPEG", quality=QUALITY)
        with Image.open(file) as read:
            # A copy: a picture's array in NumPy is not writeable, which PyTorch warns about.
            return torch.frombuffer(bytearray(read.tobytes()), dtype=torch.uint8).view_as(picture)

    pixels = (frames.clamp(-1, 1) * 127.5 + 127.5).round().byte().movedim(-3, -1).contiguous()
    kept = torch.stack([stored(picture) for picture in pixels.flatten(0, 1)])
    return from_uint8(kept.unflatten(0, frames.shape[:2]))


def still(frames: Tensor) -> Tensor:
    """The first frame, repeated as often as there are frames."""
    return frames[:, :1].expand_as(frames)


class OtherHalf(Source):
    """The next clips of a source, as many as were asked for; the second half of its clips if there are not enough."""

    def __init__(self, source: Source):
        self.source, self.name = source, source.name

    @property
    def fingerprint(self) -> str:
        return self.source.fingerprint

    def choose(self, window: Window, count: int) -> list[Clip]:
        found = self.source.choose(window, 2 * count)
        return found[-(len(found) // 2) :] if len(found) > 1 else []

    def read(self, window: Window, clips: Sequence[Clip]) -> Tensor:
        return self.source.read(window, clips)

    def origin(self, clip: Clip) -> int | str:
        return self.source.origin(clip)


def real_as(change: Callable[[Tensor], Tensor], what: str) -> Change:
    return lambda real, fake: (Altered(real, change, what), fake)


def generated_as(change: Callable[[Tensor], Tensor], what: str) -> Change:
    return lambda real, fake: (real, Altered(fake, change, what))


def real_chosen(**choices: Any) -> Change:
    return lambda real, fake: (real.changed(**choices), fake)


TRAPS = (
    Trap(
        "half, not antialiased",
        "real frames resized to half and back, bilinear without antialiasing",
        real_as(half_and_back(False), "half"),
    ),
    Trap(
        "half, antialiased",
        "real frames resized to half and back, bilinear with antialiasing",
        real_as(half_and_back(True), "half, antialiased"),
    ),
    Trap("JPEG", f"real frames through JPEG of quality {QUALITY}", real_as(jpeg, "JPEG")),
    Trap("all clips of a video", "real clips one behind the other, of fewer videos", real_chosen(one_a_video=False)),
    Trap("first frames", "real clips from the first frame of each video", real_chosen(start="first")),
    Trap("first videos", "real clips of the first videos by name, not of any", real_chosen(order="first")),
    Trap("stride 8", "each 8th frame, of both sides", stride=8),
    Trap("still images", "the first frame of each generated clip, repeated", generated_as(still, "still")),
    Trap(
        "real against real",
        "the other half of the real clips in place of the generated: the floor",
        lambda real, fake: (real, OtherHalf(real)),
        even=True,
    ),
)
"""In the order of the table."""


class TrapTable:
    """The traps applied to one pair; for a protocol with several runs, to the first.

    Args:
        evaluation: the protocol's own, whose metrics are scored.

    Raises:
        InrvidError: as the evaluation; real clips that are not from a data set.
    """

    def __init__(self, evaluation: Evaluation, traps: Sequence[Trap] = TRAPS):
        if not isinstance(evaluation.real.source, DatasetClips):
            raise InrvidError(f"{evaluation.real.side.name}: traps are choices of clips of a data set's videos")
        self.evaluation, self.traps = evaluation, traps
        self.real, self.fake = evaluation.real.source, evaluation.fakes[0].source
        self.known: dict[Window, tuple[Features, Features]] = {}

    def __call__(self) -> Traps:
        evaluation, protocol = self.evaluation, self.evaluation.protocol
        chosen = evaluation.choose()
        for window, (real, fakes) in chosen.items():
            self.known[window] = (
                evaluation.real_features(window, real),
                evaluation.features(self.fake, window, fakes[0], "generated"),
            )
        rows = [self._row(Trap("as the protocol says", protocol.description), required=True)]
        rows += [self._row(trap) for trap in self.traps]
        rows += [self._fewer(count) for count in FEWER if count < min(rows[0].clips[str(next(iter(chosen)))])]
        return Traps(
            protocol=protocol.name, protocol_version=protocol.version, variant=dict(evaluation.variant),
            detectors={name: detector.digest for name, detector in evaluation.detectors.items()},
            resolution=list(evaluation.resolution), real=self.real.name, fake=self.fake.name, rows=rows,
            errors=self._errors(), notes=evaluation.notes,
        )  # fmt: skip

    def _row(self, trap: Trap, *, required: bool = False) -> Row:
        """One row. If it cannot be computed, the row says why, unless it is required."""
        try:
            pairs = {window: self._features(trap, window) for window in self.known}
            return self._scored(trap.name, trap.sentence, pairs)
        except InrvidError as error:
            if required:
                raise
            return Row(name=trap.name, sentence=trap.sentence, why_not=str(error))

    def _fewer(self, count: int) -> Row:
        name, sentence = f"{count:,} clips", "the first so many of both sides"
        pairs = {window: (_first(real, count), _first(fake, count)) for window, (real, fake) in self.known.items()}
        try:
            return self._scored(name, sentence, pairs)
        except InrvidError as error:
            return Row(name=name, sentence=sentence, why_not=str(error))

    def _features(self, trap: Trap, own: Window) -> tuple[Features, Features]:
        """Features of both sides, for the metrics that see a window."""
        window = own if trap.stride is None else own._replace(stride=trap.stride)
        sources = trap.change(self.real, self.fake)
        real, fake = (
            known if source is before and window == own else self._looked_at(trap, own, window, source, known)
            for source, before, known in zip(sources, (self.real, self.fake), self.known[own], strict=True)
        )
        # The other half begins where that many real clips end.
        return (_first(real, len(fake)) if trap.even else real), fake

    def _looked_at(self, trap: Trap, own: Window, window: Window, source: Source, known: Features) -> Features:
        clips = source.choose(window, self.evaluation.protocol.clips)
        fewest = 2 if trap.even else max(2, len(known.clips) // 2)  # fewer would be another comparison
        if len(clips) < fewest:
            raise InrvidError(
                f"{source.name}: {len(clips)} clips of {window} ({window.span} frames of a video), {fewest} are needed"
            )
        if isinstance(source, DatasetClips) and window == own:
            _check_other(source, clips, known.clips)
        return self.evaluation.features(source, own, clips, trap.name, seen=window)

    def _scored(self, name: str, sentence: str, pairs: Mapping[Window, tuple[Features, Features]]) -> Row:
        scores: dict[str, float] = {}
        for metric in self.evaluation.metrics:
            values = metric.score(*self._arrays(metric, pairs), self._parts(metric))
            scores |= {metric.score_name(part): value for part, value in values.items()}
        clips = {str(window): [len(features) for features in pair] for window, pair in pairs.items()}
        return Row(name=name, sentence=sentence, clips=clips, scores=scores)

    def _errors(self) -> dict[str, float]:
        protocol = self.evaluation.protocol
        found: dict[str, float] = {}
        for metric in self.evaluation.metrics if protocol.halves > 1 else ():
            real, fake = self.known[metric.window(self.evaluation.clip_length)]
            videos = real.videos(self.real), fake.videos(self.fake)
            errors = spread_of_halves(metric, *self._arrays(metric, self.known), self._parts(metric), protocol, videos)
            found |= {metric.score_name(part): error for part, error in errors.items()}
        return found

    def _arrays(self, metric: Metric, pairs: Mapping[Window, tuple[Features, Features]]) -> tuple[Tensor, Tensor]:
        name = detector_name(metric.config.detector)
        real, fake = pairs[metric.window(self.evaluation.clip_length)]
        return real.by_detector[name], fake.by_detector[name]

    def _parts(self, metric: Metric) -> Mapping[str, slice]:
        return self.evaluation.detectors[detector_name(metric.config.detector)].parts


def _check_other(source: DatasetClips, clips: Sequence[Clip], known: Sequence[Clip]) -> None:
    """Raise InrvidError if a choice changes nothing."""
    if set(clips) == set(known):
        raise InrvidError("the same clips as the protocol's")
    if not source.one_a_video and len({clip.video for clip in clips}) == len(clips):
        raise InrvidError("no video holds two clips")


def _first(features: Features, count: int) -> Features:
    return Features({name: value[:count] for name, value in features.by_detector.items()}, features.clips[:count])
