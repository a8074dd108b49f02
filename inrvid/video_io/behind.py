"""Writing while the next frames are computed."""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np

from .base import Write

PIECES = 2
"""Most pieces that may wait to be written, so that memory does not grow if writing is slower than computing."""


@contextlib.contextmanager
def behind(write: Write) -> Iterator[Write]:
    """Run `write` in a thread of its own, in order. What it raises is raised by a later call, or at the end."""
    with ThreadPoolExecutor(1) as thread:
        waiting: deque[Future[None]] = deque()

        def put(frames: np.ndarray) -> None:
            if len(waiting) >= PIECES:
                waiting.popleft().result()
            waiting.append(thread.submit(write, frames))

        yield put
        while waiting:
            waiting.popleft().result()
