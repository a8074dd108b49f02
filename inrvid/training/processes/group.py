"""What the processes of a training exchange besides gradients: through host memory, over gloo.

Whatever the backend of the gradients, these exchanges wait for no device; and while one process scores or writes, the
others can wait for it, where NCCL would give up after minutes.
"""

from __future__ import annotations

import contextlib
import datetime
import os
import socket
from collections.abc import Iterator

import torch
import torch.distributed as dist

from ...errors import InrvidError

PATIENCE = datetime.timedelta(days=7)
"""How long the others wait for what the main process does alone."""

LOST = ("Connection closed by peer", "Connection reset by peer", "Broken pipe")
"""What gloo reports when a process has ended."""

_made: list[Group] = []


class NoAgreement(InrvidError):
    """The processes hold different data, or checkpoints; all of them raise it."""


class Group:
    """All processes of the training; constructed once per run, by all of them."""

    def __init__(self) -> None:
        self._quick: dist.ProcessGroup | None = None
        self._patient: dist.ProcessGroup | None = None
        if dist.is_initialized() and dist.get_world_size() > 1:
            self._quick = dist.new_group(backend="gloo")
            self._patient = dist.new_group(backend="gloo", timeout=PATIENCE)
            _made.append(self)

    def wait(self) -> None:
        """Wait until all processes are here."""
        if self._patient is not None:
            dist.barrier(group=self._patient)

    def most(self, number: int) -> int:
        """The largest of all processes' numbers. A process that is stuck is waited for until gloo's timeout."""
        if self._quick is None:
            return number
        told = torch.tensor([number])
        dist.all_reduce(told, dist.ReduceOp.MAX, group=self._quick)
        return int(told)

    def sharing(self) -> int:
        """Number of processes that share this one's CPUs, itself included: those of its machine, unless each was given
        CPUs of its own. To be called by all processes."""
        if self._quick is None:
            return 1
        own = socket.gethostname(), os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else {0}
        everybody: list[tuple[str, set[int]]] = [own] * dist.get_world_size()
        dist.all_gather_object(everybody, own, group=self._quick)
        return sum(host == own[0] and not own[1].isdisjoint(cpus) for host, cpus in everybody)

    def agree(self, value: object, what: str, remedy: str) -> None:
        """Raises NoAgreement, in all processes, unless all have the same value.

        Args:
            what: what the value describes, for the message.
            remedy: why they may differ, and what to do about it.
        """
        if self._quick is None:
            return
        everybody: list[object] = [value] * dist.get_world_size()
        dist.all_gather_object(everybody, value, group=self._quick)
        if any(other != everybody[0] for other in everybody):
            raise NoAgreement(f"the processes do not agree on {what} ({_who_has_what(everybody)}): {remedy}")

    @contextlib.contextmanager
    def one_first(self, first: bool) -> Iterator[None]:
        """Inside, the processes with `first` go first, and the others once those are done."""
        if not first:
            self.wait()
        try:
            yield
        finally:
            if first:
                self.wait()


def _who_has_what(everybody: list[object]) -> str:
    """Each value, and the first few of the processes that have it."""
    holders: dict[str, list[str]] = {}
    for rank, value in enumerate(everybody):
        holders.setdefault(str(value), []).append(str(rank))
    return "; ".join(
        f"process{'es' * (len(ranks) > 1)} {', '.join(ranks[:4])}{' …' * (len(ranks) > 4)}: {value}"
        for value, ranks in list(holders.items())[:4]
    ) + ("; …" * (len(holders) > 4))


def lost_another(error: BaseException) -> bool:
    """Whether an error means that another process is no longer there."""
    return isinstance(error, RuntimeError) and any(text in str(error) for text in LOST)


def leave() -> None:
    """End gloo's groups, and so its threads: one that releases a tensor during interpreter shutdown aborts the process.

    Other backends are left alone: they may wait for processes that have failed, and have no such threads.
    """
    if not dist.is_initialized():
        return
    for own in _made:
        ended = [own._quick, own._patient]
        own._quick = own._patient = None  # a remaining reference to `own` must not keep the threads
        while ended:
            dist.destroy_process_group(ended.pop())
    _made.clear()
    if dist.get_backend() == "gloo":
        dist.destroy_process_group()
