"""A result as tables, for the terminal and for Markdown."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

from .papers import beside_papers
from .results import Case, Result
from .text import fraction, memory, number, seconds, times


@dataclasses.dataclass(frozen=True)
class Table:
    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""
    figures: bool = True
    """All columns but the first are figures."""


CEILING_NAMES = {"convolution": "3×3 convolution", "gemm": "matrix product", "copy": "copy"}

Column = tuple[str, Callable[[Case], str]]


def tables(result: Result) -> list[Table]:
    """Those of the groups that were measured."""
    found = [_ceilings(result.cases)]
    for group, title, columns, note in LAYOUTS:
        cases = [case for case in result.cases if case.group == group]
        columns = [("case", _name), *(c for c in columns if any(c[1](case) for case in cases))]
        rows = [[show(case) for _, show in columns] for case in cases]
        found.append(Table(title, [name for name, _ in columns], rows, note))
    found.append(Table("Beside the papers", ["what", "the paper", "here"], beside_papers(result), figures=False))
    return [table for table in found if table.rows]


def heading(result: Result) -> str:
    """Where and when, in a line."""
    device, versions = result.device, result.versions
    details = [device[key] for key in ("memory", "capability") if key in device]
    packages = [f"{name} {versions[name]}" for name in ("inrvid", "torch", "triton", "cuda") if name in versions]
    where = ", ".join([device.get("name", "?"), *details, f"{device.get('threads', '?')} CPU threads"])
    return f"{where}; {', '.join(packages)}; {result.date[:10]}"


def failures(cases: Sequence[Case]) -> list[str]:
    return [f"{case.id}: {case.error}" for case in cases if case.error]


def _ceilings(cases: Sequence[Case]) -> Table:
    own = [case for case in cases if case.group == "ceilings"]
    precisions = list(dict.fromkeys(case.precision for case in own))
    rows = []
    for name in dict.fromkeys(case.subject for case in own):
        by_precision = {case.precision: case for case in own if case.subject == name}
        first = next(iter(by_precision.values()))
        label = f"{CEILING_NAMES.get(name, name)}, {first.what}: {next(iter(first.rates), 'rate')}"
        rows.append([label, *(_only_rate(by_precision.get(precision)) for precision in precisions)])
    return Table("Ceilings of this device", ["", *precisions], rows)


def _only_rate(case: Case | None) -> str:
    return number(next(iter(case.rates.values()))) if case and case.rates else "failed"


def _name(case: Case) -> str:
    return f"{case.subject}: {case.what}"


def _precision(case: Case) -> str:
    return case.precision


def _time(case: Case) -> str:
    return "failed" if case.seconds is None else seconds(case.seconds.median)


def _part(name: str) -> Callable[[Case], str]:
    return lambda case: seconds(case.parts[name]) if name in case.parts else ""


def _rate(unit: str) -> Callable[[Case], str]:
    return lambda case: number(case.rates[unit]) if unit in case.rates else ""


def _memory(name: str) -> Callable[[Case], str]:
    return lambda case: memory(case.memory[name]) if name in case.memory else ""


def _ratio(name: str, show: Callable[[float], str]) -> Callable[[Case], str]:
    return lambda case: show(case.ratios[name]) if name in case.ratios else ""


def _saved(case: Case) -> str:
    if "saved" not in case.memory:
        return ""
    part = case.memory["saved"] / max(case.memory["every_intermediate"], 1)
    return f"{memory(case.memory['saved'])} ({fraction(part)})"


def _frames(case: Case) -> str:
    return "failed" if case.error else _part("frames")(case)


def _milliseconds_a_frame(case: Case) -> str:
    return number(1000 / case.rates["frames/s"]) if "frames/s" in case.rates else ""


LAYOUTS: tuple[tuple[str, str, list[Column], str], ...] = (
    (
        "kernels",
        "Kernels",
        [
            ("", _precision),
            ("time", _time),
            ("GB/s", _rate("GB/s")),
            ("GFLOP/s", _rate("GFLOP/s")),
            ("of ceiling", _ratio("of_ceiling", fraction)),
            ("over eager", _ratio("over_eager", times)),
        ],
        "GB/s: inputs read once and outputs written once. Of ceiling: the least time that these bytes (at the copy's "
        "rate) or the products (at the matrix product's) take, over the time; above 1 where a path computes less than "
        "the definition. Eager: the definition, run by PyTorch.",
    ),
    (
        "generation",
        "Generation",
        [
            ("", _precision),
            ("φ", _part("phi")),
            ("frames", _frames),
            ("ms/frame", _milliseconds_a_frame),
            ("release GFLOP/s", _rate("release GFLOP/s")),
            ("of conv", _ratio("release_of_convolution", fraction)),
            ("peak", _memory("peak")),
        ],
        "Videos × frames. ms/frame: with φ. Release GFLOP/s: the work of the paper's release over our time; of conv: "
        "over the rate of the 3×3 convolution measured in turns with it. Peak: above the loaded model.",
    ),
    (
        "training",
        "Training",
        [
            ("", _precision),
            ("time", _time),
            ("clips/s", _rate("clips/s")),
            ("release GFLOP/s", _rate("release GFLOP/s")),
            ("of conv", _ratio("release_of_convolution", fraction)),
            ("peak", _memory("peak")),
            ("kept", _saved),
        ],
        "Clips × frames. Clips/s of the full step include R1's share. Peak: above the loaded model. Kept: by autograd "
        "for the backward pass (and as a part of what every intermediate would take).",
    ),
    ("evaluation", "Evaluation (CPU)", [("time", _time), ("clips/s", _rate("clips/s"))], ""),
    ("data", "Data loading (CPU)", [("time a batch", _time), ("clips/s", _rate("clips/s"))], ""),
)
