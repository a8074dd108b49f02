"""Being asked to stop: by signals, by callbacks, by a failure; and agreement on it among processes."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from typing import Any

from ...errors import InrvidError
from .group import Group
from .signals import stop_signals

ASKED = 1
FAILED = 1_000_000
"""What `Stopper` exchanges, as one number a process of which the largest counts: 0, to go on; `ASKED`, a callback's
wish; `ASKED` + n, signal n; `FAILED` − i, a failure in process i, the lowest of several."""


class AskedToStop(InrvidError):
    """A signal has asked the training to stop; what may take long, and can be done later, is left."""

    def __init__(self, number: int):
        super().__init__(f"{signal.Signals(number).name} asks the training to stop")


class Stopper:
    """Turns the first SIGINT, SIGTERM or SIGHUP into a request to stop after the step; the second acts at once.

    A SIGHUP that is ignored when training starts stays so: that is what `nohup` is for.

    With several processes all must stop after the same step, whichever of them was told: `agreed` exchanges a number
    a step, between the hosts' memories, so that no device is waited for.
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
        """Index of the process whose failure asked: the first of them."""
        return FAILED - self._told if self._told > FAILED // 2 else None

    @property
    def by_callback(self) -> bool:
        """Whether a callback asked, and neither a signal nor a failure."""
        return self._told == ASKED

    def ask(self) -> None:
        """A callback's wish; a signal counts for more."""
        self._told = max(self._told, ASKED)

    def fail(self, index: int) -> None:
        """A failure in this process, whose index it is."""
        self._told = FAILED - index

    @contextlib.contextmanager
    def abandoning(self) -> Iterator[None]:
        """Inside, a signal does not wait for the step: who sends one ends the process after a minute, often, and the
        state is still to be saved then.

        Raises:
            AskedToStop: where a signal comes, or has come already.
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
        if told:  # if not, a signal of our own that came meanwhile stays, for the next step
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
