"""`inrvid runs RUN_DIR`, `inrvid runs compare A B …`."""

from __future__ import annotations

from pathlib import Path

import typer

from ..text import printable


def runs(
    paths: list[str] = typer.Argument(metavar="RUN_DIR | compare RUN_DIR RUN_DIR…", help="A run's folder, or several."),
    output: Path = typer.Option(None, "-o", "--output", help="Where the page goes; default: report.html, in the run."),
) -> None:
    """A run's curves and latest samples, or several runs compared, as one HTML page that needs no network."""
    from ..errors import InrvidError
    from ..report.page import write_comparison, write_report

    if output is not None and output.suffix.lower() not in (".html", ".htm"):
        raise InrvidError(f"-o {output}: expected a name that ends in .html")
    if paths[0] == "compare":
        if len(paths) < 3:
            raise InrvidError("inrvid runs compare: give at least two run folders")
        typer.echo(write_comparison([Path(path) for path in paths[1:]], output or Path("comparison.html"), _note))
        return
    if len(paths) > 1:
        raise InrvidError(f"inrvid runs: one run folder; to compare several: inrvid runs compare {' '.join(paths)}")
    typer.echo(write_report(Path(paths[0]), output, _note))


def _note(line: str) -> None:
    typer.echo(printable(line), err=True)
