"""Records of evaluations as text tables, and as one HTML page with a sample of each model."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from ..errors import InrvidError
from ..evaluation.leaderboard import Entry, Group, Place
from ..files import write_text
from ..text import rounded
from .page import environment, latest_samples, media

SUFFIXES = (".html", ".md")
SIGNS = {"lower": " ↓", "higher": " ↑", "neither": ""}

RANKS = (
    "#: the rank, 1 and the number of records that are better by more than the two errors allow (the root of the sum "
    "of their squares); ↓: lower is better, ↑: higher."
)


@dataclasses.dataclass(frozen=True)
class Table:
    """A group as text.

    Attributes:
        differences: from the table before it, one line each.
        rows: their cells, one for each column of the header.
    """

    heading: Sequence[str]
    differences: Sequence[str]
    header: Sequence[str]
    rows: Sequence[Sequence[str]]


def table(group: Group) -> Table:
    """The columns: model, scores, generated clips, date, the record's file."""
    header = ["model", *(f"{name}{SIGNS[group.better(name)]}" for name in group.scores), "clips", "date", "record"]
    rows = []
    for row in group.rows:
        scores = [shown(row.places.get(name)) for name in group.scores]
        record = row.entry.record
        rows.append([record.fake.name, *scores, row.clips, record.date[:10], str(row.entry.path)])
    return Table(group.heading, [str(difference) for difference in group.differences], header, rows)


def shown(place: Place | None) -> str:
    """'123.4 ± 5.6  #1', without a rank if neither direction is better; '—' for a missing score."""
    if place is None:
        return "—"
    error = "" if place.score.error is None else f" ± {rounded(place.score.error, 2)}"
    rank = "" if place.score.better == "neither" else f"  #{place.rank}"
    return f"{rounded(place.score.value, 4)}{error}{rank}"


def write_leaderboard(groups: Sequence[Group], output: Path) -> None:
    """Write Markdown or HTML, by the suffix of `output`.

    Raises:
        InrvidError: another suffix.
        OSError: it cannot be written.
    """
    if output.suffix not in SUFFIXES:
        raise InrvidError(f"{output}: a leaderboard is written as {' or '.join(SUFFIXES)}; --json prints it as JSON")
    write_text(output, markdown(groups) if output.suffix == ".md" else page(groups))


def markdown(groups: Sequence[Group]) -> str:
    lines = ["# Leaderboard", ""]
    for group in groups:
        text = table(group)
        lines += [f"## {_md(text.heading[0])}", "", *(f"- {_md(line)}" for line in text.heading[1:]), ""]
        if text.differences:
            lines += ["Not comparable with the table before:", "", *(f"- {_md(line)}" for line in text.differences), ""]
        lines += [_md_row(text.header), _md_row(["---"] * len(text.header), plain=True)]
        lines += [*(_md_row(row) for row in text.rows), ""]
    return "\n".join([*lines, _md(RANKS), ""])


def _md_row(cells: Sequence[str], plain: bool = False) -> str:
    return "| " + " | ".join(cell if plain else _md(cell) for cell in cells) + " |"


def _md(text: str) -> str:
    """Text of records on one line, escaped so that nothing in it is markup."""
    return re.sub(r"([\\`*_\[\]<>|])", r"\\\1", " ".join(text.split()))


def page(groups: Sequence[Group]) -> str:
    """HTML that needs no network."""
    tables = [table(group) for group in groups]
    samples = [_samples(group) for group in groups]
    template = environment().get_template("leaderboard.html.jinja")
    return template.render(groups=list(zip(tables, samples, strict=True)), ranks=RANKS)


def _samples(group: Group) -> list[tuple[str, dict[str, str]]]:
    """(model, its video or picture), once each."""
    found: dict[str, dict[str, str]] = {}
    for row in group.rows:
        sample = sample_of(row.entry)
        if sample is not None:
            found.setdefault(row.entry.record.fake.name, sample)
    return list(found.items())


def sample_of(entry: Entry) -> dict[str, str] | None:
    """The video or picture beside the record that has its name, else its run's latest samples; None: there are none."""
    beside = media(entry.path.parent, entry.path.stem)
    if beside is not None:
        return beside
    return next((sample for folder in _runs(entry) if (sample := latest_samples(folder)) is not None), None)


def _runs(entry: Entry) -> Iterator[Path]:
    """Folders that may be the run of the model that was scored."""
    if entry.record.fake.kind == "model":
        yield from (Path(entry.record.fake.name), Path(entry.record.fake.name).parent)
    yield from (entry.path.parent, entry.path.parent.parent)
