"""`inrvid analyze MODEL -o FOLDER`."""

from __future__ import annotations

from pathlib import Path

import typer

from ..errors import InrvidError
from ..text import printable

_ONLY = typer.Option(
    None, "--only", metavar="NAME,…", help="Of motion, cycles, intervals, gradients, slices, repeats, diversity."
)


def analyze(
    model: str = typer.Argument(help="A model or run folder, or a Hub repository owner/name."),
    output: Path = typer.Option(..., "-o", "--output", metavar="FOLDER", help="For index.html, analysis.json, png."),
    only: str = _ONLY,
    seed: int = typer.Option(0, help="Seed of the first video."),
    videos: int = typer.Option(4, help="Videos that are looked at, where several are."),
    frames: int = typer.Option(None, help="Frames of each; default: four training clips, 16 for repeats."),
    cpu: bool = typer.Option(False, "--cpu", help="Run on the CPU, even where there is a GPU."),
) -> None:
    """Look into a trained model: how it moves, whether it repeats itself, what its discriminator sees."""
    from ..applications.analyze.finding import Finding
    from ..applications.analyze.run import Request, of_model
    from ..report.analysis import earlier, write_analysis

    names = tuple(name.strip() for name in (only or "").split(",") if name.strip())
    request = Request.of(only=names, seed=seed, videos=videos, frames=frames)
    if output.exists() and not output.is_dir():
        raise InrvidError(f"-o {output}: is a file: give the name of a folder")
    earlier(output)
    findings, notes = {}, []
    for name, found in of_model(model, request, cpu=cpu):
        if isinstance(found, Finding):
            findings[name] = found
            typer.echo(f"{name}: {found.title}")
        else:
            notes.append(f"{name}: {found}")
            typer.echo(printable(notes[-1]), err=True)
    if not findings:
        raise InrvidError(f"{model}: nothing of what was asked for is possible: {notes[0]}")
    typer.echo(write_analysis(output, model, findings, notes))
