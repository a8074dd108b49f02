"""Features of clips by detectors: streamed, shared by processes, those of real clips kept for the next time.

A batch has the same clips whichever process computes it, and features are gathered in the clips' order: one process and
several find the same numbers, bit for bit if each has as many threads. A CPU splits sums among threads, which shows in
their last bits (I3D: 3·10⁻⁶ of the features, 10⁻⁶ of an FVD). A single thread would leave a process's other cores idle,
and not every detector can process clips in parallel threads; so records state the number of threads.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor

from ..errors import InrvidError
from ..files import write_bytes
from .clips import Clip, Source, Window
from .detectors.base import Detector

BATCH = 16
"""Most clips that are read together; fewer if they do not fit `BYTES`."""
BYTES = 2 << 30
"""Most bytes of a batch's frames, as float32."""
FRAMES_AT_ONCE = 64
"""Frames that a detector sees at once, to save memory beside a training or on a small machine."""


@dataclasses.dataclass(frozen=True)
class Share:
    """One process's part of the work.

    Attributes:
        gather: what this process has → a list of what each has, in the order of processes.
    """

    rank: int = 0
    processes: int = 1
    gather: Callable[[object], list] = lambda own: [own]


@dataclasses.dataclass(frozen=True)
class Features:
    """Features for one window of one source: by detector, float64 `[N, n]`, or `[N, frames, n]` if each frame is seen
    by itself; and which clips they are of."""

    by_detector: Mapping[str, Tensor]
    clips: Sequence[Clip]
    unreadable: int = 0

    def __len__(self) -> int:
        """Number of clips that could be read."""
        return len(next(iter(self.by_detector.values())))

    def videos(self, source: Source) -> list[int] | None:
        """The video of each row, as a number (from `Source.origin`); None: all rows are of different videos, or some
        clips could not be read, and rows do not say which."""
        numbers: dict[int | str, int] = {}
        own = [numbers.setdefault(source.origin(clip), len(numbers)) for clip in self.clips]
        return None if self.unreadable or len(numbers) == len(own) else own


def features_of(
    source: Source,
    window: Window,
    clips: Sequence[Clip],
    detectors: Mapping[str, Detector],
    *,
    device: torch.device,
    resolution: tuple[int, int] = (1, 1),
    share: Share | None = None,
    advance: Callable[[int], None] = lambda clips: None,
) -> Features:
    """Features of clips by several detectors; each clip is read once for all of them.

    Args:
        resolution: height and width of the source's frames, to limit the memory of a batch.
        advance: called with the (approximate) number of clips that all processes have just done.

    Raises:
        InrvidError: a detector needs longer clips, or shorter ones; fewer than two clips can be decoded, or one cannot
            and the data's `on_error` is 'fail'; features are not finite. Raised in all processes alike.
    """
    share = share or Share()
    for detector in detectors.values():
        detector.check_frames(1 if window.singly else window.frames)
    size = max(1, min(BATCH, BYTES // (12 * window.frames * math.prod(resolution))))
    batches = [clips[first : first + size] for first in range(0, len(clips), size)]
    own: dict[int, dict[str, Tensor]] = {}
    failed: InrvidError | None = None
    try:
        for number in range(share.rank, len(batches), share.processes):
            frames = source.read(window, batches[number])
            if len(frames):  # else all of its videos are broken
                own[number] = {
                    name: _of_batch(detector, frames, device, window.singly) for name, detector in detectors.items()
                }
            advance(len(batches[number]) * share.processes)
    except InrvidError as error:  # raised once all processes have met: one that left would leave the others waiting
        failed = error
    parts = share.gather((own, failed))
    for _, trouble in parts:
        if trouble is not None:
            raise trouble
    found = {number: features for part, _ in parts for number, features in part.items()}
    there = sum(len(next(iter(features.values()))) for features in found.values()) if detectors else 0
    if there < 2:
        raise InrvidError(f"{source.name}: {there} of {len(clips)} clips can be decoded, scores need at least 2")
    by_detector = {name: torch.cat([found[number][name] for number in sorted(found)]) for name in detectors}
    if broken := [name for name, features in by_detector.items() if not features.isfinite().all()]:
        raise InrvidError(f"{source.name}: {', '.join(broken)}: features are not finite: some frames are no numbers")
    return Features(by_detector, clips, unreadable=len(clips) - there)


def _of_batch(detector: Detector, frames: Tensor, device: torch.device, singly: bool) -> Tensor:
    if singly:
        each = _of_batch(detector, frames.flatten(0, 1)[:, None], device, False)
        return each.unflatten(0, frames.shape[:2])
    at_once = max(1, FRAMES_AT_ONCE // frames.shape[1])
    some = [detector.features(part.to(device, non_blocking=True)) for part in frames.split(at_once)]
    return torch.cat([part.cpu().double() for part in some])


def load_features(path: Path) -> Tensor | None:
    try:
        return load_file(path)["features"]
    except (OSError, SafetensorError, KeyError):
        return None


def save_features(path: Path, features: Tensor) -> None:
    """Save features in the cache. If it cannot be written, that only costs time."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(path, save({"features": features.contiguous()}))
    except OSError:
        return
