"""Results made by hand."""

from __future__ import annotations

from benchmarks.results import Case, Result, Seconds

DEVICE = {"type": "cpu", "name": "A CPU", "capability": "AVX512", "threads": "2"}
VERSIONS = {"inrvid": "0.1.0", "torch": "2.13.0"}


def case(group="kernels", subject="bias_act", what="2×8×64²", precision="fp32", seconds=0.5, **values) -> Case:
    taken = None if seconds is None else Seconds.of([seconds])
    return Case(group=group, subject=subject, what=what, precision=precision, seconds=taken, **values)


def result(*cases: Case, **device: str) -> Result:
    return Result(date="2026-11-21T12:00:00+00:00", device=DEVICE | device, versions=VERSIONS, cases=list(cases))
