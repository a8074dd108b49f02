"""Being asked to stop: signals, and agreement on them among processes."""

from __future__ import annotations

import signal
from typing import Any

from .group import Group
from .signals import stop_signals


class Stopper:
    """Turns the first SIGINT, SIGTERM or SIGHUP into a request to stop after the step; the second acts at once.

    A SIGHUP that is ignored when training starts stays so: that is what `nohup` is for.

    With several processes all must stop after the same step, whichever of them was told: `agreed` exchanges a number
    a step, between the hosts' memories, so that no device is waited for.
    """

    def __init__(self, group: Group) -> None:
        self.signal = 0
        self._before: dict[int, Any] = {}
        self._group = group

    def agreed(self) -> bool:
        """Whether some process was asked to stop; to be called by all processes, after the same steps."""
        told = self._group.most(self.signal)
        if told:  # if not, a signal of our own that came meanwhile stays, for the next step
            self.signal = told
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
        self.signal = number
        self._restore()

    def _restore(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
