"""Work on many files at once, in threads: decoders and image libraries release the interpreter's lock."""

from __future__ import annotations

import os
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

Item = TypeVar("Item")
Result = TypeVar("Result")

QUIET_SECONDS = 1.0
"""Work that takes no longer than this is not reported."""


def cpus() -> int:
    """Processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def in_parallel(function: Callable[[Item], Result], items: Sequence[Item], doing: str) -> Iterator[Result]:
    """`function` of each item, in the items' order; works at most a few items ahead of what has been taken.

    `doing` names the work in its progress on stderr: a bar on a terminal, one line at the end elsewhere.
    """
    with _Reporter(doing, len(items)) as report, ThreadPoolExecutor(cpus()) as pool:
        ahead: deque[Future[Result]] = deque()
        try:
            for item in items:
                ahead.append(pool.submit(function, item))
                if len(ahead) >= 4 * cpus():
                    yield ahead.popleft().result()
                    report.advance()
            while ahead:
                yield ahead.popleft().result()
                report.advance()
        finally:
            for future in ahead:
                future.cancel()


class _Reporter:
    def __init__(self, doing: str, total: int):
        self._doing, self._total, self._done = doing, total, 0
        self._start = time.monotonic()
        self._bar: Progress | None = None

    def __enter__(self) -> _Reporter:
        return self

    def advance(self) -> None:
        self._done += 1
        if self._bar is None and sys.stderr.isatty() and time.monotonic() - self._start > QUIET_SECONDS:
            self._bar = _bar()
            self._task = self._bar.add_task(self._doing, total=self._total)
            self._bar.start()
        if self._bar is not None:
            self._bar.update(self._task, completed=self._done)

    def __exit__(self, *_: object) -> None:
        seconds = time.monotonic() - self._start
        if self._bar is not None:
            self._bar.stop()
        elif seconds > QUIET_SECONDS:
            print(f"{self._doing}: {self._done} of {self._total} in {seconds:.1f} s", file=sys.stderr)


def _bar() -> Progress:
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=Console(stderr=True), transient=True)
