"""Requests to stop, by signals, callbacks or failures, and agreement on them among processes."""

from __future__ import annotations

import signal
from typing import Any

from .group import Group
from .signals import stop_signals

ASKED = 1
FAILED = 1_000_000
"""What `Stopper` exchanges: one number per process, of which the largest counts. 0: continue; `ASKED`: a callback's
request; `ASKED` + n: signal n; `FAILED` − i: a failure in process i, the lowest of several."""


class AskedToStop(Exception):
    """A signal has asked the training to stop; what takes long, and can be done later, is abandoned."""

    def __init__(self, number: int):
        super().__init__(f"{signal.Signals(number).name} asks the training to stop")


class Stopper:
    """Turns the first SIGINT, SIGTERM or SIGHUP into a request to stop after the step; the second acts at once.

    Long work between steps is abandoned where it calls `check`.

    A SIGHUP that is ignored when training starts stays ignored: that is what `nohup` is for.

    With several processes all must stop after the same step, whichever was asked: `agreed` exchanges one number per
    step, through host memory, so that no device is waited for.
    """

    def __init__(self, group: Group) -> None:
        self._told = 0
        self._before: dict[int, Any] = {}
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

    def check(self) -> None:
        """To be called between the parts of long work that can be done later: who sends a signal often ends the process
        a minute after it, and the state must be saved by then.

        Raises:
            AskedToStop: a signal has reached this process (those of other processes are heard at the next step).
        """
        if self.signal:
            raise AskedToStop(self.signal)

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

    def _restore(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
