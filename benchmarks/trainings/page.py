"""The page: a row a system, its curves, its strips; as HTML that holds everything, and as Markdown."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

from inrvid.documents import read
from inrvid.evaluation.record import Record, Score, read_record
from inrvid.files import read_text, write_text
from inrvid.report.page import environment, media
from inrvid.report.plot import Points, chart
from inrvid.run_files import METRICS, read_metrics

from .plan import LARGEST, Plan, System
from .run import Spent

SCORES = ("fvd16", "kvd16", "precision_recall16/precision", "precision_recall16/recall")
CURVES = ("loss/G", "loss/D", "sign/real", "sign/fake")
STOPS = ("clips", "minutes")
TEMPLATE = Path(__file__).with_name("page.html.jinja")


@dataclasses.dataclass(frozen=True)
class Row:
    """A system at a stop."""

    system: System
    clips: int
    minutes: float
    rate: float
    """Clips a second."""
    record: Record

    def score(self, name: str) -> str:
        return shown(self.record.scores.get(name))


def write_pages(plan: Plan, out: Path) -> list[Path]:
    """Write page.html and table.md of what is there; returns their paths."""
    tables = {stop: list(_rows(plan, out, stop)) for stop in STOPS}
    heading = {
        "clips": f"After {plan.kclips:g} thousand clips",
        "minutes": f"After {plan.minutes:g} minutes of one core",
    }
    charts = {name: chart(_curves(plan, out, name)) for name in CURVES}
    strips = {(s, row.system.name): media(out / row.system.name, s) for s in STOPS for row in tables[s]}
    template = environment().from_string(read_text(TEMPLATE, LARGEST))
    write_text(
        out / "page.html",
        template.render(plan=plan, tables=tables, heading=heading, charts=charts, strips=strips, scores=SCORES),
    )
    write_text(out / "table.md", "\n".join(_markdown(plan, tables, heading)) + "\n")
    return [out / "page.html", out / "table.md"]


def shown(score: Score | None) -> str:
    """Three figures and the error, where there is one."""
    if score is None:
        return "—"
    value = f"{score.value:.0f}" if abs(score.value) >= 100 else f"{score.value:.3g}"
    return value if score.error is None else f"{value} ± {score.error:.2g}"


def _rows(plan: Plan, out: Path, stop: str) -> Iterator[Row]:
    for system in plan.systems:
        folder = out / system.name
        if not (folder / "spent.json").exists():
            continue
        spent = read(folder / "spent.json", Spent)
        if stop in spent.stops:
            reached = spent.stops[stop]
            record = read_record(folder / f"{stop}.json")
            yield Row(system, reached.clips, reached.minutes, spent.clips_a_minute / 60, record)


def _curves(plan: Plan, out: Path, prefix: str) -> dict[str, Points]:
    """A line a system: the mean of its values whose name begins so (heads of a discriminator)."""
    lines: dict[str, Points] = {}
    for system in plan.systems:
        path = out / system.name / "run" / METRICS
        records = read_metrics(path)[0] if path.exists() else []
        points = [(r["clips"], _mean([v for k, v in r.items() if k.startswith(prefix)])) for r in records]
        if any(y is not None for _, y in points):
            lines[system.name] = points
    return lines


def _mean(values: list[float | None]) -> float | None:
    found = [value for value in values if value is not None]
    return sum(found) / len(found) if found else None


def _markdown(plan: Plan, tables: dict[str, list[Row]], heading: dict[str, str]) -> Iterator[str]:
    yield from (f"# {plan.title}", "", plan.about)
    for stop, rows in tables.items():
        yield from ("", f"## {heading[stop]}", "")
        yield "| system | recipe | clips | minutes | clips a second | " + " | ".join(SCORES) + " |"
        yield "| --- | --- | ---: | ---: | ---: |" + " ---: |" * len(SCORES)
        for row in rows:
            scores = " | ".join(row.score(name) for name in SCORES)
            numbers = f"{row.clips:,} | {row.minutes:.1f} | {row.rate:.1f}"
            yield f"| {row.system.name} | {row.system.recipe} ({row.system.package}) | {numbers} | {scores} |"
