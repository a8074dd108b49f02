"""A result as Markdown, and its place in a file that holds more."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from inrvid.errors import InrvidError
from inrvid.files import read_text, write_text

from .results import Result
from .tables import Table, failures, heading, tables


def to_markdown(result: Result) -> str:
    parts = [heading(result), *map(_table, tables(result))]
    failed = failures(result.cases)
    if failed:
        parts.append("\n".join(["Failed:", "", *(f"- {line}" for line in failed)]))
    return "\n\n".join(parts) + "\n"


def write_markdown(result: Result, path: Path) -> None:
    """To `path`; of a file with marks (see `marks`), between those of the result's device, and nothing else changes.

    Raises:
        InrvidError: a file that has the marks of other devices alone.
    """
    head, tail = place_of(result.device.get("type", "?"), path)
    write_text(path, f"{head}{to_markdown(result)}{tail}")


def place_of(device: str, path: Path) -> tuple[str, str]:
    """What stands before and behind the place for results of a type of device; nothing, in a file without marks.

    Raises:
        InrvidError: a file that has the marks of other devices alone.
    """
    before = read_text(path) if path.exists() else ""
    if "<!-- benchmarks " not in before:
        return "", ""
    begin, end = marks(device)
    head, found, rest = before.partition(begin)
    _, closed, tail = rest.partition(end)
    if not (found and closed):
        raise InrvidError(f"{path}: has marks of benchmarks, but not {begin} … {end}: add them where this should go")
    return f"{head}{begin}\n", f"{end}{tail}"


def marks(device: str) -> tuple[str, str]:
    return f"<!-- benchmarks {device}: begin -->", f"<!-- benchmarks {device}: end -->"


def _table(table: Table) -> str:
    rules = ["---", *["---:" if table.figures else "---"] * (len(table.columns) - 1)]
    lines = [_row(table.columns), _row(rules), *map(_row, table.rows)]
    return "\n".join([f"**{table.title}**", "", *lines, *(["", table.note] if table.note else [])])


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |"
