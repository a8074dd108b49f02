"""`inrvid plugins list`."""

from __future__ import annotations

import dataclasses
import json

import typer

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

    from ..errors import InrvidError
    from ..registry import REGISTRIES, Entry, registry, unknown_plugins

    found: dict[str, list[tuple[Entry | None, str]]] = {}
    for name in [kind] if kind else REGISTRIES:
        kinds = registry(name)
        rows: list[tuple[Entry | None, str]] = []
        for part in kinds.names():
            try:
                entry = kinds.entry(part)
                if entry.is_plugin:
                    kinds.component(part)
                rows.append((entry, ""))
            except InrvidError as error:
                rows.append((None, f"{part}: {error}"))
        found[name] = rows
    if as_json:
        data = {
            k: [dataclasses.asdict(e) if e else {"error": problem} for e, problem in rows] for k, rows in found.items()
        }
        typer.echo(json.dumps(data, indent=2, ensure_ascii=False))
        return
    for problem in unknown_plugins():
        typer.echo(f"ignored: {problem}: an entry point is named <kind>.<name>, of {', '.join(REGISTRIES)}", err=True)
    console = Console()
    for name, rows in found.items():
        table = Table("name", "what it is", "source", "package", title=name, title_justify="left", box=None)
        for found_entry, problem in rows:
            if found_entry is None:
                table.add_row("[red]broken[/red]", escape(problem), "", "")
            else:
                package = found_entry.package if found_entry.is_plugin else ""
                table.add_row(
                    *(escape(x) for x in (found_entry.name, found_entry.summary, found_entry.source, package))
                )
        console.print(table)
        console.print()
