"""Writing while the next frames are computed."""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np

from .base import Write

PIECES = 2
"""That may wait to be written, at most: memory does not grow where writing is the slower of both."""


@contextlib.contextmanager
def behind(write: Write) -> Iterator[Write]:
    """`write` in a thread of its own, in order. What it raises is raised at one of the next calls, or at the end."""
    with ThreadPoolExecutor(1) as thread:
        waiting: deque[Future[None]] = deque()

        def put(frames: np.ndarray) -> None:
            if len(waiting) >= PIECES:
                waiting.popleft().result()
            waiting.append(thread.submit(write, frames))

        yield put
        while waiting:
            waiting.popleft().result()
