"""Clips of real videos for training: every draw is a function of (seed, step, sample)."""

from __future__ import annotations

import itertools
import signal
import threading
import warnings
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from ..errors import DataError
from ..random import Draws, SampleKey
from ..text import printable
from ..time_samplers.base import TimeSampler
from .base import VideoDataset
from .memory import InMemory
from .parallel import cpus

PURPOSE = "real clips"
ATTEMPTS = 100
"""After this many videos in a row that cannot be decoded, a sample is given up."""

MOST_WORKERS = 8


class Clips(Dataset[dict[str, Tensor]]):
    """Item `SampleKey(seed, step, sample)` is a clip:

    frames: uint8 `[T, 3, H, W]`; t: float32 `[T]`, in frames at the model's rate; label: float32 `[classes]`,
    one-hot, width 0 if there are none. T and the times come from the time sampler.
    """

    def __init__(self, dataset: VideoDataset, time_sampler: TimeSampler, seed: int):
        self.dataset, self.time_sampler, self.seed = dataset, time_sampler, seed
        self._lengths = torch.tensor([dataset.length(video) for video in range(len(dataset))])
        self._clips_up_to = _weights(dataset, self._lengths).cumsum(0)
        # Shared with the loader's workers, so that a file is warned about once, not once per worker.
        self._warned = torch.zeros(len(dataset), dtype=torch.bool).share_memory_()

    def __getitem__(self, key: SampleKey) -> dict[str, Tensor]:
        """Raises DataError if a video cannot be decoded (`on_error: fail`), or `ATTEMPTS` in a row cannot (`skip`)."""
        draws, last = Draws([key], PURPOSE), ""
        for _ in range(ATTEMPTS):
            video = self._draw_video(draws)
            numbers, t = self.time_sampler.real(draws, self._lengths[video : video + 1])
            mirrored = self.dataset.config.xflip and bool(draws.uniform() < 0.5)
            try:
                pictures = self.dataset.read(video, numbers[0].tolist())
            except DataError as error:
                last = str(error)
                if self.dataset.config.on_error == "fail":
                    raise
                self._warn(video, error)
                continue
            pictures = pictures[:, :, ::-1] if mirrored else pictures
            frames = torch.from_numpy(np.ascontiguousarray(pictures.transpose(0, 3, 1, 2)))
            return {"frames": frames, "t": t[0].float(), "label": self._label(video)}
        raise DataError(
            f"{self.dataset.config.path}: {ATTEMPTS} videos in a row could not be read; do they still exist? "
            f"The last one: {last}"
        )

    def _draw_video(self, draws: Draws) -> int:
        clip = draws.integers(self._clips_up_to[-1:])
        return int(torch.searchsorted(self._clips_up_to, clip, right=True))

    def _label(self, video: int) -> Tensor:
        one_hot = torch.zeros(len(self.dataset.classes))
        if self.dataset.classes:
            one_hot[self.dataset.label(video)] = 1
        return one_hot

    def _warn(self, video: int, error: DataError) -> None:
        if not self._warned[video]:
            self._warned[video] = True
            warnings.warn(printable(f"{error}: another video takes its place"), RuntimeWarning, stacklevel=3)


def _weights(dataset: VideoDataset, lengths: Tensor) -> Tensor:
    """Relative frequency at which each video is drawn, int64 `[videos]`."""
    if dataset.config.sampling == "clips":
        return lengths - dataset.config.clip_length + 1
    return torch.ones_like(lengths)


def loader(
    clips: Clips,
    samples: Sequence[int],
    *,
    start_step: int = 0,
    workers: int | str = "auto",
    num_processes: int = 1,
    pin_memory: bool = False,
) -> Iterator[dict[str, Tensor]]:
    """Endless batches for steps start_step, start_step + 1, …: the items of `Clips`, stacked.

    Args:
        samples: indices in the global batch that this process handles, in this order.
        workers: loader processes of this process; they live as long as the iterator. 'auto': none if frames are in
            memory, else one per processor, shared among `num_processes` processes on this machine, less one; at
            least 1 and at most 8.

    Raises:
        DataError: as the items of `Clips`.
    """
    count = worker_count(clips.dataset, workers, num_processes)
    batches = _StepKeys(clips.seed, start_step, samples)
    return _clear_errors(DataLoader(clips, batch_sampler=batches, num_workers=count, pin_memory=pin_memory))


class _StepKeys:
    """The keys of one process's share of each step, for ever."""

    def __init__(self, seed: int, start_step: int, samples: Sequence[int]):
        self._seed, self._start_step, self._samples = seed, start_step, samples

    def __iter__(self) -> Iterator[list[SampleKey]]:
        for step in itertools.count(self._start_step):
            yield [SampleKey(self._seed, step, sample) for sample in self._samples]


def _clear_errors(batches: DataLoader[dict[str, Tensor]]) -> Iterator[dict[str, Tensor]]:
    try:
        yield from _started(batches)
    except DataError as error:  # one from a worker arrives wrapped in its traceback
        message = str(error).strip().rsplit("DataError: ", 1)[-1]
        error.__traceback__ = None  # it would keep the iterator, and so the workers, alive
    except OSError as error:  # the machine's fault, not a video's; one from a worker has lost its errno
        message = str(error).strip().rsplit("\n", 1)[-1]
        error.__traceback__ = None
    raise DataError(message)


def _started(batches: DataLoader[dict[str, Tensor]]) -> Iterator[dict[str, Tensor]]:
    """The loader's iterator. A worker's death is noticed when its batch is requested: PyTorch's own signal handler
    would raise in the middle of whatever the process is doing at the time, such as an optimizer step."""
    if not hasattr(signal, "SIGCHLD") or threading.current_thread() is not threading.main_thread():
        return iter(batches)  # no such handlers exist, or they belong to the main thread
    before = signal.getsignal(signal.SIGCHLD)
    if getattr(before, "__module__", "").startswith(torch.utils.data.__name__):  # set by another loader in this process
        before = signal.SIG_DFL
    try:
        return iter(batches)
    finally:
        signal.signal(signal.SIGCHLD, before)


def worker_count(dataset: VideoDataset, workers: int | str, num_processes: int) -> int:
    """How many loader processes `loader` starts, if `num_processes` processes share the CPUs of this one."""
    if workers != "auto":
        return int(workers)
    if isinstance(dataset, InMemory):
        return 0
    return max(1, min(MOST_WORKERS, cpus() // num_processes - 1))
