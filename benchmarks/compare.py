"""Two results, case by case."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from inrvid.errors import InrvidError

from .results import Case, load
from .tables import Table, heading
from .text import number, seconds, times


def compare(first: Path, second: Path) -> Table:
    """Cases that both files hold, with the first's time over the second's.

    Raises:
        InrvidError: one is no result, or they have no case in common.
    """
    a, b = load(first), load(second)
    cases = {case.id: case for case in b.cases}
    pairs = [(case, cases[case.id]) for case in a.cases if case.id in cases]
    timed = [(x, y) for x, y in pairs if x.seconds and y.seconds]
    if not timed:
        raise InrvidError(f"{first} and {second}: no case is in both")
    alone = len(a.cases) - len(pairs), len(b.cases) - len(pairs)
    notes = [
        f"A: {heading(a)}",
        f"B: {heading(b)}",
        *_differences(a.device, b.device),
        *_differences(a.versions, b.versions),
    ]
    notes += [f"{alone[0]} cases in A alone, {alone[1]} in B alone"] if any(alone) else []
    rows = [_row(x, y) for x, y in timed]
    return Table("A and B", ["case", "A", "B", "A / B", "peak A / B"], rows, "\n".join(notes))


def ratio(a: Case, b: Case) -> float:
    """How many times faster b is."""
    return _time(a) / _time(b)


def _row(a: Case, b: Case) -> list[str]:
    peaks = a.memory.get("peak"), b.memory.get("peak")
    of_peaks = number(peaks[0] / peaks[1]) if peaks[0] and peaks[1] else ""
    return [a.id, seconds(_time(a)), seconds(_time(b)), times(ratio(a, b)), of_peaks]


def _time(case: Case) -> float:
    assert case.seconds is not None
    return case.seconds.median


def _differences(a: Mapping[str, str], b: Mapping[str, str]) -> list[str]:
    keys = [key for key in {**a, **b} if a.get(key) != b.get(key)]
    return [f"differs: {key}: {a.get(key, '—')} | {b.get(key, '—')}" for key in keys]
