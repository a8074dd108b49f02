"""Which clips a score is computed from: the choices that affect it most, each one explicit.

A *window* is what a detector sees of a video: a number of frames, every `stride`-th. A *source* (a data set, or a
generator) chooses clips for a window and reads them; a clip is a pair of numbers, so that processes can share the work.
"""

from __future__ import annotations

import abc
import contextlib
import functools
import hashlib
from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
import torch
from torch import Tensor

from ..data.base import VideoDataset
from ..errors import DataError, InrvidError
from ..generators.base import VideoGenerator
from ..random import Draws
from ..video_io.pictures import from_uint8
from ..weights import digest_of

Start = Literal["anywhere", "first"]


class Window(NamedTuple):
    """`frames` frames, `stride` apart; `first`: the frame at which clips begin that are taken from a video's start.

    `singly`: a detector sees each frame by itself, and a clip has one row of features per frame.
    """

    frames: int
    stride: int = 1
    first: int = 0
    singly: bool = False

    @property
    def span(self) -> int:
        """Number of a video's frames that it spans."""
        return (self.frames - 1) * self.stride + 1

    @property
    def end(self) -> int:
        """Fewest frames of a video that contains it."""
        return self.first + self.span

    def begun(self, start: Start) -> Window:
        """The window for clips with this start: those from anywhere ignore `first`."""
        return self if start == "first" else self._replace(first=0)

    def __str__(self) -> str:
        stride = f", stride {self.stride}" if self.stride > 1 else ""
        first = f", from t = {self.first}" if self.first else ""
        return f"{self.frames} frames{stride}{first}" + (", each by itself" if self.singly else "")


class Clip(NamedTuple):
    """Of a data set: the video, and the frame at which the clip starts; of a generator: the seed, and the time of the
    first frame."""

    video: int
    start: int


class Source(abc.ABC):
    """Where clips come from."""

    name: str
    """What people call it."""

    @property
    @abc.abstractmethod
    def fingerprint(self) -> str:
        """A hex digest that identifies it: part of the key of cached features."""

    def seen(self, window: Window) -> Window:
        """The window as far as its clips depend on it."""
        return window

    @abc.abstractmethod
    def choose(self, window: Window, count: int) -> list[Clip]:
        """At most `count` clips; fewer if there are no more."""

    @abc.abstractmethod
    def read(self, window: Window, clips: Sequence[Clip]) -> Tensor:
        """Frames `[b, frames, 3, H, W]` in [−1, 1]; clips of videos that cannot be decoded are left out if the data's
        `on_error` says so."""

    def title(self, clip: Clip) -> str:
        """What a clip is called, for people."""
        return f"video {clip.video}, frame {clip.start}"

    def origin(self, clip: Clip) -> int | str:
        """What clips have in common if they are not independent draws: by default, their video."""
        return clip.video


SAMPLED = 32
"""Number of videos of a data set whose first frames are part of its fingerprint."""

Order = Literal["shuffled", "first", "shuffled_clips"]


class DatasetClips(Source):
    """Clips of videos.

    Args:
        order: shuffled: videos in an order drawn by the seed; first: videos by name, as in releases that took the first
            ones; shuffled_clips: the clips of all videos in an order drawn by the seed, so that those of one video lie
            apart.
        start: anywhere in each video (by the seed and the video), or its first frame (the window's `first`).
        one_a_video: one clip per video; else all consecutive clips of a video, which are not independent.
    """

    def __init__(
        self,
        dataset: VideoDataset,
        *,
        name: str = "",
        order: Order = "shuffled",
        start: Start = "anywhere",
        one_a_video: bool = True,
        seed: int = 0,
    ):
        self.dataset, self.order, self.start, self.one_a_video, self.seed = dataset, order, start, one_a_video, seed
        self.name = name or str(dataset.config.path or dataset.config.type)

    @functools.cached_property
    def fingerprint(self) -> str:
        """A digest of the data set's index, and of the first frames of `SAMPLED` of its videos: names and sizes may be
        alike."""
        digest = hashlib.sha256(self.dataset.frames_fingerprint.encode())
        for video in np.linspace(0, len(self.dataset) - 1, min(SAMPLED, len(self.dataset))).astype(int).tolist():
            with contextlib.suppress(DataError):  # a broken one is reported when its clip is read
                digest.update(self.dataset.read(video, [0]).tobytes())
        return digest.hexdigest()

    def changed(self, **choices: Any) -> DatasetClips:
        """Clips of the same videos with other choices: `order`, `start`, `one_a_video`, `seed`."""
        now = {"order": self.order, "start": self.start, "one_a_video": self.one_a_video, "seed": self.seed}
        return DatasetClips(self.dataset, name=self.name, **{**now, **choices})

    def seen(self, window: Window) -> Window:
        return window.begun(self.start)

    def choose(self, window: Window, count: int) -> list[Clip]:
        videos, window = np.arange(len(self.dataset)), self.seen(window)
        random = np.random.Generator(np.random.Philox(self.seed))
        if self.order == "shuffled":
            videos = random.permutation(videos)
        found: list[Clip] = []
        for video in videos.tolist():
            found += self._of_video(video, window)
            if len(found) >= count and self.order != "shuffled_clips":
                break
        if self.order == "shuffled_clips":
            found = [found[place] for place in random.permutation(len(found))]
        return found[:count]

    def _of_video(self, video: int, window: Window) -> list[Clip]:
        """A video's clips; empty if it ends before the window does."""
        last = self.dataset.length(video) - window.span
        if last < window.first:
            return []
        if self.one_a_video:
            return [Clip(video, self._start(video, window, last))]
        return [Clip(video, start) for start in range(window.first, last + 1, window.span)]

    def too_short(self, window: Window) -> int:
        """Number of videos that end before the window does."""
        return sum(self.dataset.length(video) < self.seen(window).end for video in range(len(self.dataset)))

    def title(self, clip: Clip) -> str:
        return f"{self.dataset.records[clip.video].name}, frame {clip.start}"

    def origin(self, clip: Clip) -> str:
        """The file's name: a data set may have cut it into several videos."""
        return self.dataset.records[clip.video].name

    def _start(self, video: int, window: Window, last: int) -> int:
        if self.start == "first":
            return window.first
        draws = Draws.of_batch(self.seed, "held-out clips", 0, [video])
        return int(draws.integers(torch.tensor([last + 1])))

    def read(self, window: Window, clips: Sequence[Clip]) -> Tensor:
        read = [frames for clip in clips if (frames := self._read(window, clip)) is not None]
        height, width = (read[0].shape[1:3]) if read else (1, 1)
        frames = np.stack(read) if read else np.empty((0, window.frames, height, width, 3), np.uint8)
        return from_uint8(frames)

    def _read(self, window: Window, clip: Clip) -> np.ndarray | None:
        try:
            return self.dataset.read(clip.video, range(clip.start, clip.start + window.span, window.stride))
        except DataError:
            if self.dataset.config.on_error == "fail":
                raise
            return None


class Altered(Source):
    """The clips of another source, changed after they are read.

    Args:
        change: a function of frames `[b, frames, 3, H, W]` in [−1, 1].
        what: the change, in words.
    """

    def __init__(self, source: Source, change: Callable[[Tensor], Tensor], what: str):
        self.source, self.change, self.what = source, change, what
        self.name = f"{source.name}, {what}"

    @property
    def fingerprint(self) -> str:
        return hashlib.sha256(f"{self.source.fingerprint} {self.what}".encode()).hexdigest()

    def seen(self, window: Window) -> Window:
        return self.source.seen(window)

    def choose(self, window: Window, count: int) -> list[Clip]:
        return self.source.choose(window, count)

    def read(self, window: Window, clips: Sequence[Clip]) -> Tensor:
        frames = self.source.read(window, clips)
        return self.change(frames) if len(frames) else frames

    def origin(self, clip: Clip) -> int | str:
        return self.source.origin(clip)


class GeneratorClips(Source):
    """Videos of a generator, one per seed, from t = 0 or the window's `first`; frames in [−1, 1], as they are seen.

    Args:
        first_seed: seed of the first video; far from those that sample grids show.
        quantise: round frames to 8 bits a channel, as files have them.
        classes: classes of the data's videos, by number (`classes_of`): each generated video gets the class of one of
            them, drawn uniformly by its seed; empty: any class, evenly.
    """

    def __init__(
        self,
        generator: VideoGenerator,
        *,
        name: str = "",
        first_seed: int = 1_000_000,
        quantise: bool = False,
        classes: Sequence[int] = (),
    ):
        self.generator, self.name, self.first_seed, self.quantise = generator, name, first_seed, quantise
        self.classes = torch.tensor(classes, dtype=torch.int64, device="cpu")

    @property
    def fingerprint(self) -> str:
        """A digest of the weights and the seed of the first video."""
        return digest_of(self.generator, str(self.first_seed).encode())

    def choose(self, window: Window, count: int) -> list[Clip]:
        return [Clip(self.first_seed + i, window.first) for i in range(count)]

    @torch.no_grad()
    def read(self, window: Window, clips: Sequence[Clip]) -> Tensor:
        t = window.first + torch.arange(window.frames, device=self.generator.device) * window.stride
        inr = self.generator.inr(self._latents(clips))
        side = self.generator.resolution
        frames = torch.empty(len(inr), window.frames, 3, side, side)
        # One at a time, to save memory. A video's frames are those of its seed in any batch, up to rounding.
        for video, own in enumerate(frames):
            own.copy_(torch.cat(list(inr[video].stream(t)), dim=1)[0]).clamp_(-1, 1)
            if self.quantise:
                own.copy_(eight_bits(own))
        return frames

    def title(self, clip: Clip) -> str:
        label = self._classes_of([clip.video])
        if label is None:
            return f"seed {clip.video}"
        names, number = self.generator.class_names, int(label)
        return f"seed {clip.video}, class {names[number] if names else number}"

    def _latents(self, clips: Sequence[Clip]):
        seeds = [clip.video for clip in clips]
        if seeds != list(range(seeds[0], seeds[0] + len(seeds))):
            raise InrvidError("seeds of a batch follow each other")
        return self.generator.sample_latents(len(seeds), seed=seeds[0], label=self._classes_of(seeds))

    def _classes_of(self, seeds: Sequence[int]) -> Tensor | None:
        count = len(self.classes)
        if not count:
            return None
        return self.classes[Draws.of_seeds(seeds, "a video's class").integers(torch.full((len(seeds),), count))]


def classes_of(dataset: VideoDataset, generator: VideoGenerator) -> list[int]:
    """The class of each of the data's videos, by the generator's numbers; empty if either has no classes, or the data
    has others."""
    numbers = {name: number for number, name in enumerate(generator.class_names or dataset.classes)}
    if not dataset.classes or len(numbers) != generator.label_dim or not {*dataset.classes} <= {*numbers}:
        return []
    return [numbers[str(record.label)] for record in dataset.records]


def eight_bits(frames: Tensor) -> Tensor:
    """Frames rounded to what files of 8 bits a channel hold, in [−1, 1]."""
    return (frames.clamp(-1, 1) * 127.5 + 127.5).round() / 127.5 - 1
