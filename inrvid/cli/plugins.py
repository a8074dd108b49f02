"""`inrvid plugins list`."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from ..registry import Registry

app = typer.Typer(no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Keeps `list` a sub-command while it is the only one."""


@app.command("list")
def list_plugins(
    kind: str = typer.Argument(None, help="motions, generators, ...; default: all kinds."),
    as_json: bool = typer.Option(False, "--json", help="For programs."),
) -> None:
    """Components that recipes can name, the library's own and those of plugins."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from ..registry import REGISTRIES, registry, unknown_plugins

    kinds = [kind] if kind else list(REGISTRIES)
    found = {name: [_row(registry(name), part) for part in registry(name).names()] for name in kinds}
    if as_json:
        typer.echo(json.dumps(found, indent=2, ensure_ascii=False))
        return
    for problem in unknown_plugins():
        typer.echo(f"ignored: {problem}: an entry point is named <kind>.<name>, of {', '.join(REGISTRIES)}", err=True)
    console = Console()
    for name, rows in found.items():
        table = Table("name", "what it is", "source", "package", title=name, title_justify="left", box=None)
        for row in rows:
            if "error" in row:
                table.add_row("[red]broken[/red]", escape(row["error"]), "", "")
            else:
                package = row["package"] if row["package"] != "inrvid" else ""
                table.add_row(*(escape(text) for text in (row["name"], row["summary"], row["source"], package)))
        console.print(table)
        console.print()


def _row(kinds: Registry, name: str) -> dict[str, str]:
    from ..errors import InrvidError

    try:
        entry = kinds.entry(name)
        return dataclasses.asdict(entry) | {"summary": kinds.summary(name), "source": kinds.source(name)}
    except InrvidError as error:
        return {"error": f"{name}: {error}"}
