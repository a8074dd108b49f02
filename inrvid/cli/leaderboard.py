"""`inrvid evaluate --leaderboard PATH…`."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from ..errors import InrvidError
from ..text import printable

if TYPE_CHECKING:
    from ..report.leaderboard import Table

PIPED = 200
"""Columns of a table that goes to a file or a program."""


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
    from rich.table import Table as Columns
    from rich.text import Text

    console = Console(soft_wrap=True, width=None if sys.stdout.isatty() else PIPED)
    if text.differences:
        console.print("not comparable with the table above:", highlight=False)
        for line in text.differences:
            console.print(Text(f"  {printable(line)}"))
        console.print()
    for line in text.heading:
        console.print(Text(printable(line)))
    columns = Columns(box=None)
    for name in text.header:
        columns.add_column(Text(printable(name)), overflow="fold")
    for row in text.rows:
        columns.add_row(*(Text(printable(cell)) for cell in row))
    console.print(columns)
    console.print()
