"""The page: a row a system, its curves, its strips; as HTML that holds everything, and as Markdown."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from statistics import fmean, stdev

from inrvid.documents import read
from inrvid.evaluation.record import Record, Score, read_record
from inrvid.files import read_text, write_text
from inrvid.report.page import environment
from inrvid.report.plot import Points, chart
from inrvid.run_files import METRICS, read_metrics
from inrvid.text import rounded

from .plan import DATA, LARGEST, STOPS, Plan, StopName, System
from .run import Spent, Stop
from .strips import embedded, write_strips

CURVES = ("loss/G", "loss/D", "sign/real", "sign/fake")
NONE = "—"
REAL = " (real)"
"""Behind the name of a score that is of the real clips."""
TEMPLATE = Path(__file__).with_name("page.html.jinja")


@dataclasses.dataclass(frozen=True)
class Result:
    """A training at a stop."""

    stop: Stop
    spent: Spent
    record: Record


ABOUT: dict[str, tuple[Callable[[Result], float], str]] = {
    "clips": (lambda result: result.stop.clips, ",.0f"),
    "minutes": (lambda result: result.stop.minutes, ".1f"),
    "clips a second": (lambda result: result.spent.clips_a_minute / 60, ".1f"),
    "s to draw 1,000 frames": (lambda result: result.stop.drawing, ".1f"),
    "MB in training": (lambda result: max(part.megabytes for part in result.spent.stretches), ",.0f"),
}
"""Columns before the scores: mean over seeds (on the first's kind of device), and how it is written."""


@dataclasses.dataclass(frozen=True)
class Row:
    """A system at a stop: the trainings that have come there."""

    system: System
    results: Sequence[Result]
    folder: Path
    """The first one's."""
    strip: str
    """The first one's, as an address that holds it."""

    def cell(self, column: str) -> str:
        """Of a score, or of one of `ABOUT`; — where it was not measured."""
        if column not in ABOUT:
            return shown([r.record.scores[column] for r in self.results if column in r.record.scores])
        value, form = ABOUT[column]
        alike = [result for result in self.results if result.spent.by_clock == self.results[0].spent.by_clock]
        number = fmean(value(result) for result in alike)
        return format(number, form) if number else NONE


@dataclasses.dataclass(frozen=True)
class Data:
    """What the data have of the columns: those that all are scored against, or others, against them (`floor`)."""

    scores: Mapping[str, Score]

    def has(self, columns: Sequence[str]) -> bool:
        return any(self.cell(column) != NONE for column in columns)

    def cell(self, column: str) -> str:
        return shown([self.scores[column]] if column in self.scores else [])


def write_pages(plan: Plan, out: Path) -> list[Path]:
    """Write page.html and table.md of what is there; returns their paths."""
    tables = {stop: list(_rows(plan, out, stop)) for stop in STOPS}
    heading = {
        "clips": f"After {plan.kclips:g} thousand clips",
        "minutes": _after_minutes(tables["minutes"]),
    }
    charts = {name: chart(_curves(plan, out, name)) for name in CURVES}
    columns = {stop: _columns(plan, tables[stop]) for stop in STOPS}
    data = {stop: Data(_of_data(tables[stop], out)) for stop in STOPS}
    page = environment().from_string(read_text(TEMPLATE, LARGEST)).render(
        plan=plan, tables=tables, data=data, heading=heading, charts=charts, columns=columns
    )  # fmt: skip
    write_text(out / "page.html", page)
    write_text(out / "table.md", "\n".join(_markdown(plan, tables, data, columns, heading)) + "\n")
    written = [out / "page.html", out / "table.md"]
    for stop, rows in tables.items():
        if rows:
            written.append(out / f"{stop}.png")
            write_strips({row.system.name: row.folder / f"{stop}.png" for row in rows}, plan.times, written[-1])
    return written


def shown(scores: Sequence[Score]) -> str:
    """Mean and error, the larger of the scores' own (by random halves) and the spread between seeds; — without any."""
    if not scores:
        return NONE
    value = fmean(score.value for score in scores)
    own = [score.error for score in scores if score.error is not None]
    spread = stdev(score.value for score in scores) if len(scores) > 1 else 0.0
    error = max([*([fmean(own)] if own else []), spread])
    text = f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return f"{text} ± {rounded(error, 2)}" if own or len(scores) > 1 else text


def _rows(plan: Plan, out: Path, stop: StopName) -> Iterator[Row]:
    for system in plan.all_systems:
        folders = [out / plan.folder(system, seed) for seed in plan.seeds]
        there = [folder for folder in folders if stop in _spent(folder).stops]
        results = [Result(_spent(f).stops[stop], _spent(f), read_record(f / f"{stop}.json")) for f in there]
        if results:
            yield Row(system, results, there[0], embedded(there[0] / f"{stop}.png"))


def _of_data(rows: Sequence[Row], out: Path) -> dict[str, Score]:
    """By column."""
    path = out / f"{DATA}.json"
    own = dict(read_record(path).scores) if path.exists() else {}
    of_models = rows[0].results[0].record.scores if rows else {}
    seen = {name.removesuffix(REAL): score for name, score in of_models.items() if name.endswith(REAL)}
    return own | seen


def _spent(folder: Path) -> Spent:
    path = folder / "spent.json"
    return read(path, Spent) if path.exists() else Spent()


def _after_minutes(rows: Sequence[Row]) -> str:
    """As many as they were trained for, whatever is asked for now; empty without any."""
    results = [result for row in rows for result in row.results]
    if not results:
        return ""
    of = "a GPU" if any(result.spent.by_clock for result in results) else "one core"
    return f"After {fmean(result.stop.minutes for result in results):.3g} minutes of {of}"


def _columns(plan: Plan, rows: Sequence[Row]) -> list[str]:
    """Those that some row has."""
    return [name for name in (*ABOUT, *plan.columns) if any(row.cell(name) != NONE for row in rows)]


def _curves(plan: Plan, out: Path, prefix: str) -> dict[str, Points]:
    """A line a system, of the first seed that is there: the mean of its values whose name begins so (heads of a
    discriminator)."""
    lines: dict[str, Points] = {}
    for system in plan.all_systems:
        paths = (out / plan.folder(system, seed) / "run" / METRICS for seed in plan.seeds)
        path = next((path for path in paths if path.exists()), None)
        records = [] if path is None else read_metrics(path)[0]
        points = [(r["clips"], _mean([v for k, v in r.items() if k.startswith(prefix)])) for r in records]
        if any(y is not None for _, y in points):
            lines[system.name] = points
    return lines


def _mean(values: Sequence[float | None]) -> float | None:
    found = [value for value in values if value is not None]
    return fmean(found) if found else None


def _markdown(
    plan: Plan, tables: dict[StopName, list[Row]], data: dict[StopName, Data], columns: dict[StopName, list[str]],
    heading: dict[str, str],
) -> Iterator[str]:  # fmt: skip
    yield from (f"# {plan.title}", "", plan.about)
    for stop, rows in tables.items():
        if not rows:
            continue
        yield from ("", f"## {heading[stop]}", "", f"| system | recipe | seeds | {' | '.join(columns[stop])} |")
        yield "| --- | --- | ---: |" + " ---: |" * len(columns[stop])
        for row in rows:
            cells = " | ".join(row.cell(name) for name in columns[stop])
            recipe = row.system.recipe + f" ({', '.join(row.system.packages)})" * bool(row.system.packages)
            yield f"| {row.system.name} | {recipe} | {len(row.results)} | {cells} |"
        if data[stop].has(columns[stop]):
            yield f"| the data | | | {' | '.join(data[stop].cell(name) for name in columns[stop])} |"
