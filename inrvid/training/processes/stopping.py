"""Requests to stop, by signals, callbacks or failures, and agreement on them among processes."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from typing import Any

from .group import Group
from .signals import stop_signals

ASKED = 1
FAILED = 1_000_000
"""What `Stopper` exchanges: one number per process, of which the largest counts. 0: continue; `ASKED`: a callback's
request; `ASKED` + n: signal n; `FAILED` − i: a failure in process i, the lowest of several."""


class AskedToStop(Exception):
    """A signal has asked the training to stop; work that may take long, and can be done later, is abandoned.

    Not an InrvidError, so that no code between the signal and `abandoning` takes it for a failure to deal with.
    """

    def __init__(self, number: int):
        super().__init__(f"{signal.Signals(number).name} asks the training to stop")


class Stopper:
    """Turns the first SIGINT, SIGTERM or SIGHUP into a request to stop after the step; the second acts at once.

    Work inside `abandoning` does not delay that stop: the first signal interrupts it.

    A SIGHUP that is ignored when training starts stays ignored: that is what `nohup` is for.

    With several processes all must stop after the same step, whichever was asked: `agreed` exchanges one number per
    step, through host memory, so that no device is waited for.
    """

    def __init__(self, group: Group) -> None:
        self._told = 0
        self._before: dict[int, Any] = {}
        self._abandons = False
        self._group = group

    @property
    def signal(self) -> int:
        """Number of the signal that asked, or 0."""
        return self._told - ASKED if ASKED < self._told < FAILED // 2 else 0

    @property
    def failed(self) -> int | None:
        """Index of the process whose failure asked, the lowest of several; None if none did."""
        return FAILED - self._told if self._told > FAILED // 2 else None

    @property
    def by_callback(self) -> bool:
        """Whether a callback asked, and neither a signal nor a failure."""
        return self._told == ASKED

    def ask(self) -> None:
        """Record a callback's request; a signal takes precedence."""
        self._told = max(self._told, ASKED)

    def fail(self, index: int) -> None:
        """Record a failure in this process, whose index is `index`."""
        self._told = FAILED - index

    @contextlib.contextmanager
    def abandoning(self) -> Iterator[None]:
        """Inside, a signal does not wait for the end of the step: its sender often kills the process a minute later,
        and the state must still be saved by then.

        Raises:
            AskedToStop: when a signal reaches this process, or has reached it already. The signal handler raises it, so
                that it may come from any line of the block.
        """
        if self.signal:
            raise AskedToStop(self.signal)
        self._abandons = True
        try:
            yield
        finally:
            self._abandons = False

    def agreed(self) -> bool:
        """Whether some process was asked to stop; to be called by all processes, after the same steps."""
        told = self._group.most(self._told)
        if told:  # if not, a signal that has reached this process meanwhile is kept for the next step
            self._told = told
        return told != 0

    def __enter__(self) -> Stopper:
        try:
            self._before = {number: signal.signal(number, self._ask) for number in stop_signals()}
        except ValueError:  # not the main thread: whoever runs us there handles signals
            self._before = {}
        return self

    def __exit__(self, *args: object) -> None:
        self._restore()

    def _ask(self, number: int, frame: Any) -> None:
        self._told = max(self._told, ASKED + number)
        self._restore()
        if self._abandons:
            raise AskedToStop(number)

    def _restore(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
