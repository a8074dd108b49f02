"""Timing. Every case has its turn in every round, so that a machine whose speed drifts drifts for all of them."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable, Mapping
from typing import Protocol

import torch

Run = Callable[[], object]

SAMPLE_SECONDS = 0.005
"""A quicker case is called several times a sample."""

LONG_SECONDS = 1.0
"""A case whose first call takes longer is not called again before the rounds."""

SLOW_SECONDS = 10.0
"""A first call that takes longer counts as the first round's: what it has to set up is lost in it."""

MOST_CALLS = 200
MOST_ROUNDS = 1000


class Stopwatch(Protocol):
    """Seconds a call of `run`, called `calls` times, with the device's work done."""

    def __call__(self, run: Run, calls: int) -> float: ...


class WallStopwatch:
    """Time as the caller sees it: Python, launches and the device's work."""

    def __init__(self, device: torch.device, now: Callable[[], float] = time.perf_counter):
        self._now = now
        self._synchronize = torch.cuda.synchronize if device.type == "cuda" else _nothing

    def __call__(self, run: Run, calls: int) -> float:
        self._synchronize()
        start = self._now()
        for _ in range(calls):
            run()
        self._synchronize()
        return (self._now() - start) / calls


class DeviceStopwatch:
    """Time of a CUDA device alone: the calls are queued behind a pause, so that it never waits for Python."""

    CYCLES_A_SECOND = 2e9
    """Of the pause: as fast as any device's clock."""

    def __call__(self, run: Run, calls: int) -> float:
        start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        run()  # what the first call compiles is not what a call takes to queue
        torch.cuda.synchronize()
        began = time.perf_counter()
        run()
        queueing = time.perf_counter() - began
        torch.cuda.synchronize()
        torch.cuda._sleep(int(2 * queueing * calls * self.CYCLES_A_SECOND))
        start.record()
        for _ in range(calls):
            run()
        end.record()
        torch.cuda.synchronize()
        return start.elapsed_time(end) / 1000 / calls


@dataclasses.dataclass(frozen=True)
class Budget:
    """How long to go on: `rounds`, or at least `least` and until `seconds` have passed."""

    seconds: float
    least: int = 1
    rounds: int | None = None


@dataclasses.dataclass
class Measured:
    """Seconds a call of each case, one a round; and why others failed."""

    samples: dict[str, list[float]]
    errors: dict[str, str]


def measure(
    runs: Mapping[str, Run],
    stopwatch: Stopwatch,
    budget: Budget,
    *,
    calls: int | None = None,
    now: Callable[[], float] = time.perf_counter,
) -> Measured:
    """Warm up, then rounds in which each of `runs` is timed once.

    Args:
        calls: of a run a sample; default: enough for `SAMPLE_SECONDS`.
    """
    counts: dict[str, int] = {}
    samples: dict[str, list[float]] = {}
    errors: dict[str, str] = {}
    for name, run in runs.items():
        try:
            first, counts[name] = warmed_up(run, stopwatch, calls)
            samples[name] = [first] if first > SLOW_SECONDS else []
        except Exception as error:  # a case that fails is a result
            errors[name] = one_line(error)
    start, done = now(), 0
    while counts and not _enough(budget, done, now() - start):
        done += 1
        for name, count in counts.items():
            if len(samples[name]) < done:
                samples[name].append(stopwatch(runs[name], count))
    return Measured(samples, errors)


def warmed_up(run: Run, stopwatch: Stopwatch, calls: int | None = None) -> tuple[float, int]:
    """(seconds of the first call of `run`, calls for one sample)."""
    first = stopwatch(run, 1)
    if calls is not None or first > LONG_SECONDS:
        return first, calls or 1
    seconds = stopwatch(run, 1)
    return first, max(1, min(MOST_CALLS, math.ceil(SAMPLE_SECONDS / max(seconds, 1e-9))))


def _enough(budget: Budget, rounds: int, seconds: float) -> bool:
    if budget.rounds is not None:
        return rounds >= budget.rounds
    return rounds >= MOST_ROUNDS or (rounds >= max(1, budget.least) and seconds >= budget.seconds)


def one_line(error: BaseException) -> str:
    """An error in a line."""
    if isinstance(error, torch.OutOfMemoryError):
        return "out of memory"
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0] if lines else ''}"[:300]


def _nothing() -> None:
    """The CPU's work is done when a call returns."""
