"""Scores, and tables of traps, on the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ..text import printable, rounded

if TYPE_CHECKING:
    from ..evaluation.record import Record
    from ..evaluation.traps import Traps


def print_record(record: Record) -> None:
    console = Console(soft_wrap=True)
    from ..evaluation.variant import variant_text

    variant = variant_text(record.variant)
    package = f"{record.protocol_package} {record.protocol_package_version}"
    origin = f" ({package})" if record.protocol_package not in ("", "inrvid") else ""
    told = f"protocol {record.protocol} {record.protocol_version}{origin}"
    console.print(escape(told + (f", variant: {variant}" if variant else "")), highlight=False)
    for what, side in (("real", record.real), ("scored", record.fake)):
        clips = "; ".join(f"{count} clips of {window}" for window, count in side.clips.items())
        console.print(f"{what:<7} {escape(printable(side.name))}: {clips}", highlight=False)
    table = Table("score", "", "±", "with more clips", box=None)
    for column in table.columns[1:]:
        column.justify = "right"
    for name, score in record.scores.items():
        error = "" if score.error is None else rounded(score.error, 2)
        more = "" if score.more_clips is None else rounded(score.more_clips, 4)
        table.add_row(escape(printable(name)), rounded(score.value, 4), error, more)
    console.print(table)
    for note in record.notes:
        console.print(f"note: {escape(printable(note))}", highlight=False)
    for name, digest in record.detectors.items():
        origin = f"{digest.package} {digest.version}".strip() or "the library's own"
        weights = f", sha256 {digest.sha256[:12]}…" if digest.sha256 else ", no weights"
        untrained = "" if digest.trained else ", RANDOM: for tests alone"
        console.print(f"detector {escape(name)}: {origin}{weights}{untrained}", highlight=False)


def print_traps(found: Traps) -> None:
    console = Console(soft_wrap=True)
    for name, own in found.rows[0].scores.items():
        table = Table("choice", "clips", name, "moved by", box=None)
        for column in table.columns[1:]:
            column.justify = "right"
        for row in found.rows:
            clips = " ".join("/".join(map(str, counts)) for counts in row.clips.values())
            table.add_row(escape(row.name), clips, *_moved(row.scores.get(name), own))
        console.print(table)
        if name in found.errors:
            error = rounded(found.errors[name], 2)
            console.print(f"± {error} as the protocol says, by random halves\n", highlight=False)
    for row in found.rows:
        told = f"not scored: {row.why_not}" if row.why_not else row.sentence
        console.print(f"{escape(row.name)}: {escape(told)}", highlight=False)
    for note in found.notes:
        console.print(f"note: {escape(note)}", highlight=False)


def _moved(score: float | None, own: float) -> tuple[str, str]:
    """A score, and by how much it is above the protocol's."""
    if score is None:
        return "", ""
    moved = score - own
    return rounded(score, 4), f"{'+' * (moved > 0)}{rounded(moved, 3)}" if score != own else ""
