"""`inrvid evaluate --leaderboard PATH…`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from ..errors import InrvidError
from ..text import printable

if TYPE_CHECKING:
    from rich.table import Table as RichTable

    from ..report.leaderboard import Table

PIPED = 200
"""Columns of a table that goes to a file or a program."""
GAP = 2
"""Columns between two of a table's."""
FOLDED = 24
"""Columns that a model's name and a record's path have at least: what is longer may be folded."""


def show_leaderboard(paths: Sequence[str], output: Path | None, as_json: bool) -> None:
    """Print, or write, the records that are found; files that are damaged are told on standard error.

    Raises:
        InrvidError: there is no record, or `output` is neither Markdown nor HTML.
    """
    from ..evaluation.leaderboard import as_data, find_records, grouped
    from ..files import expanded
    from ..report.leaderboard import RANKS, table, write_leaderboard

    entries, problems = find_records([expanded(path) for path in paths])
    for line in problems:
        typer.echo(printable(" ".join(line.split())), err=True)
    if not entries:
        raise InrvidError(f"no record of an evaluation in {', '.join(paths)}: inrvid evaluate MODEL -o FILE writes one")
    groups = grouped(entries)
    if output is not None:
        write_leaderboard(groups, output)
    if as_json:
        typer.echo(json.dumps(as_data(groups), indent=2))
        return
    for group in groups:
        _print(table(group))
    typer.echo(RANKS)


def _print(text: Table) -> None:
    from rich.console import Console
    from rich.text import Text

    console = Console(soft_wrap=True, width=None if sys.stdout.isatty() else PIPED)
    if text.differences:
        console.print("not comparable with the table above:", highlight=False)
        for line in text.differences:
            console.print(Text(f"  {printable(line)}"))
        console.print()
    for line in text.heading:
        console.print(Text(printable(line)))
    header, rows = [printable(name) for name in text.header], [[printable(cell) for cell in row] for row in text.rows]
    for lines, whole in _fitting(header, rows, console.width):
        console.print(_columns(lines, whole))
        console.print()


def _fitting(header: list[str], rows: list[list[str]], width: int) -> Iterator[tuple[list[list[str]], range]]:
    """The table's lines, a record each; where it is too wide, a score each, of as many records as have room. And which
    columns are not folded."""
    model, *scores, record = (max(map(len, column)) for column in zip(header, *rows, strict=True))
    if sum(GAP + column for column in (min(model, FOLDED), *scores, min(record, FOLDED))) <= width:
        yield [header, *rows], range(1, len(header) - 1)
        return
    widest = max(min(FOLDED, len(row[0])) for row in rows)
    widest = max([widest, *(len(cell) for row in rows for cell in row[1:-1])])
    count = max(1, (width - max(map(len, header)) - GAP) // (widest + GAP))
    for first in range(0, len(rows), count):
        yield [list(line) for line in zip(header, *rows[first : first + count], strict=True)], range(1)


def _columns(lines: list[list[str]], whole: range) -> RichTable:
    from rich.table import Table as RichTable
    from rich.text import Text

    columns = RichTable(box=None, padding=(0, GAP, 0, 0))
    for number, name in enumerate(lines[0]):
        columns.add_column(Text(name), overflow="fold", no_wrap=number in whole)
    for line in lines[1:]:
        columns.add_row(*map(Text, line))
    return columns
