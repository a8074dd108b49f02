"""Being asked to stop: signals, and agreement on them among processes."""

from __future__ import annotations

import signal
from typing import Any

import torch
import torch.distributed as dist

from .signals import stop_signals


class Stopper:
    """Turns the first SIGINT, SIGTERM or SIGHUP into a request to stop after the step; the second acts at once.

    A SIGHUP that is ignored when training starts stays so: that is what `nohup` is for.

    With several processes all must stop after the same step, whichever of them was told: `agreed` exchanges a number
    a step, between the hosts' memories, so that no device is waited for.
    """

    def __init__(self) -> None:
        self.signal = 0
        self._before: dict[int, Any] = {}
        self._group = dist.new_group(backend="gloo") if dist.is_initialized() and dist.get_world_size() > 1 else None

    def agreed(self) -> bool:
        """Whether some process was asked to stop; to be called by all processes, after the same steps."""
        if self._group is None:
            return self.signal != 0
        told = torch.tensor([self.signal])
        dist.all_reduce(told, dist.ReduceOp.MAX, group=self._group)
        if told:  # if not, a signal of our own that came meanwhile stays, for the next step
            self.signal = int(told)
        return bool(told)

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
