"""One video drawn by several processes, one GPU each where there are several.

Whichever process is free draws the next piece of the video; pieces come back in order, a few of them ahead of what is
taken. They are the pieces that a single process would draw, so that the frames are the same, bit for bit.
"""

from __future__ import annotations

import functools
import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor
from typing_extensions import Self

from ..errors import InrvidError
from .drawing import Scene

AHEAD = 2
"""Pieces per process that may wait to be taken."""


class Scenes(Protocol):
    """Scenes by number, each made when it is asked for."""

    def __getitem__(self, number: int, /) -> Scene: ...


class Helpers:
    """Processes that draw; a context manager.

    Args:
        make: called once in each process, so that it must be picklable.

    A program that uses them must start under `if __name__ == "__main__":`, as with all of `multiprocessing`.
    """

    def __init__(self, processes: int, make: Callable[[], Scenes]):
        context = multiprocessing.get_context("spawn")
        started = context.Value("i", 0)
        self._most = AHEAD * processes
        self._pool = ProcessPoolExecutor(
            processes, context, initializer=_start, initargs=(make, started, torch.get_num_threads())
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: Any) -> None:
        self._pool.shutdown(cancel_futures=True)

    def draw(self, number: int, pieces: Iterable[Tensor]) -> Iterator[np.ndarray]:
        """The pieces of a scene, in order. Raises what drawing raises, and InrvidError if a process has ended."""
        waiting: deque[Future[np.ndarray]] = deque()
        try:
            for t in pieces:
                if len(waiting) == self._most:
                    yield waiting.popleft().result()
                waiting.append(self._pool.submit(_draw, number, t.numpy()))
            while waiting:
                yield waiting.popleft().result()
        except BrokenProcessPool:
            raise InrvidError(
                "--processes: one of them ended, or could not start (too little memory?): ask for fewer"
            ) from None


_scene: Callable[[int], Scene]


def _start(make: Callable[[], Scenes], started: Any, threads: int) -> None:
    """Set up a new process, with as many threads as its parent: sums must be rounded alike."""
    global _scene
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends it
    threading.Thread(target=_end_with_parent, daemon=True).start()
    torch.set_num_threads(threads)
    with started.get_lock():
        rank, started.value = started.value, started.value + 1
    if torch.cuda.is_available():
        torch.cuda.set_device(rank % torch.cuda.device_count())
    scenes = make()
    _scene = functools.lru_cache(maxsize=1)(scenes.__getitem__)


def _end_with_parent() -> None:
    """End when the parent does: one that is killed tells nobody."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def _draw(number: int, t: np.ndarray) -> np.ndarray:
    return _scene(number).draw(torch.from_numpy(t))
