"""`inrvid plugins list|info|new|check`: parts and protocols, what packages bring, and packages to begin with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from ..registry import Registry
    from ..testing.suite import Result

app = typer.Typer(no_args_is_help=True)

PROTOCOLS = "protocols"
"""What is listed beside the kinds of parts: data, not classes."""

_JSON = typer.Option(False, "--json", help="Print JSON instead of text.")
_MARKS = {"passed": "ok", "failed": "FAILED", "skipped": "skipped"}


@app.command("list")
def list_plugins(
    kind: str = typer.Argument(None, help="motions, generators, protocols, ...; default: all kinds."),
    as_json: bool = _JSON,
) -> None:
    """List components and protocols that recipes can name, the library's own and those of plugins."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from ..evaluation.protocol_files import PROTOCOLS as FILES
    from ..inventory import ignored_plugins
    from ..registry import REGISTRIES

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


@app.command()
def info(
    name: str = typer.Argument(help="Name of a component: wavelet; or motions.wavelet where two kinds have one."),
    as_json: bool = _JSON,
) -> None:
    """Show what a component is, where it comes from, and every key of its configuration."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from ..inventory import find

    about = _about(*find(name))
    if as_json:
        typer.echo(json.dumps(about, indent=2, ensure_ascii=False))
        return
    console = Console()
    console.print(f"[bold]{escape(about['name'])}[/bold], a {escape(about['noun'])}: {escape(about['summary'])}")
    for key in ("source", "package", "class"):
        if about[key]:
            console.print(f"{key}: {about[key]}", markup=False, highlight=False)
    table = Table("key", "type", "default", "what it is", box=None)
    for key in about["keys"]:
        default = "required" if key["required"] else json.dumps(key["default"], ensure_ascii=False)
        table.add_row(*map(escape, (key["name"], key["type"], default, key["description"])))
    console.print(table)


@app.command()
def new(
    directory: Path = typer.Argument(help="A new folder, named as the package: inrvid-wavelet."),
    kind: str = typer.Option(..., "--kind", help="motion, coords, generator, discriminator, augment, time_sampler, …"),
    name: str = typer.Option(None, "--name", help="Name of the component; default: the folder's, without 'inrvid-'."),
) -> None:
    """Write a package to begin with: a component that works, tests, a recipe, README, continuous integration."""
    from ..starter.make import make

    for path in make(directory, kind, name):
        typer.echo(directory / path)
    typer.echo(f"next: pip install -e {directory} && inrvid plugins check {directory.resolve().name}")


@app.command()
def check(
    package: str = typer.Argument(None, help="Name of an installed package; default: all that bring parts."),
    quick: bool = typer.Option(False, "--quick", help="Without the checks that start processes."),
) -> None:
    """Check the parts and recipes of packages, a line each; exit code 1 if one fails."""
    from ..starter.check import checked

    count = dict.fromkeys(_MARKS, 0)
    for place, result in checked(package, quick=quick):
        typer.echo(_line(place, result))
        count[result.outcome] += 1
    typer.echo(", ".join(f"{number} {outcome}" for outcome, number in count.items() if number))
    if count["failed"]:
        raise typer.Exit(1)


def _line(place: str, result: Result) -> str:
    return f"{place}: {result.check}: {_MARKS[result.outcome]}{': ' if result.reason else ''}{result.reason}"


def _about(kind: str, name: str) -> dict[str, Any]:
    from ..inventory import keys_of
    from ..registry import registry

    kinds = registry(kind)
    entry = kinds.entry(name)
    package = f"{entry.package} {entry.version}".strip()
    about = {"kind": kind, "name": name, "noun": kinds.noun, "package": package, "class": entry.target}
    about |= {"summary": kinds.summary(name), "source": kinds.source(name)}
    return {**about, "keys": keys_of(kinds.config_class(name))}


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
        row = {"name": name, "target": entry.target, "package": entry.package, "version": entry.version}
        return row | {"summary": kinds.summary(name), "source": kinds.source(name)}
    except InrvidError as error:
        return {"error": f"{name}: {' '.join(str(error).split())}"}


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
