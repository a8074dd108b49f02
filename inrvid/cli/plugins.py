"""`inrvid plugins list`: parts, and what else packages bring."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from ..registry import Registry

app = typer.Typer(no_args_is_help=True)

PROTOCOLS = "protocols"
"""What is listed beside the kinds of parts: data, not classes."""


@app.callback()
def _group() -> None:
    """Keeps `list` a sub-command while it is the only one."""


@app.command("list")
def list_plugins(
    kind: str = typer.Argument(None, help="motions, generators, protocols, ...; default: all kinds."),
    as_json: bool = typer.Option(False, "--json", help="For programs."),
) -> None:
    """Components and protocols that recipes can name, the library's own and those of plugins."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from ..evaluation.protocol_files import PROTOCOLS as FILES
    from ..registry import REGISTRIES, ignored_plugins

    found = {name: _rows(name) for name in ([kind] if kind else [*REGISTRIES, PROTOCOLS])}
    if as_json:
        typer.echo(json.dumps(found, indent=2, ensure_ascii=False))
        return
    for problem in (*ignored_plugins(), *FILES.ignored()):
        typer.echo(f"ignored: {problem}", err=True)
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


def _rows(kind: str) -> list[dict[str, str]]:
    """Raises InrvidError: there is no such kind."""
    from ..errors import InrvidError, did_you_mean
    from ..evaluation.protocol_files import PROTOCOLS as FILES
    from ..registry import REGISTRIES

    if kind == PROTOCOLS:
        return [_protocol(name) for name in FILES.claims()]
    if kind not in REGISTRIES:
        kinds = [*REGISTRIES, PROTOCOLS]
        raise InrvidError(
            f"no kind of component named '{kind}'.{did_you_mean(kind, kinds)}\n  available: {', '.join(kinds)}"
        )
    return [_row(REGISTRIES[kind], name) for name in REGISTRIES[kind].names()]


def _row(kinds: Registry, name: str) -> dict[str, str]:
    from ..errors import InrvidError

    try:
        entry = kinds.entry(name)
        return dataclasses.asdict(entry) | {"summary": kinds.summary(name), "source": kinds.source(name)}
    except InrvidError as error:
        return {"error": f"{name}: {error}"}


def _protocol(name: str) -> dict[str, str]:
    from ..errors import InrvidError
    from ..evaluation.protocol import load_protocol
    from ..evaluation.protocol_files import PROTOCOLS as FILES

    try:
        protocol, _ = load_protocol(name)
    except InrvidError as error:
        return {"error": f"{name}: {error}"}
    file = FILES.claims()[name][0]
    return {"name": name, "target": str(file.path), "package": file.package, "version": file.version} | {
        "summary": protocol.description,
        "source": "",
    }
