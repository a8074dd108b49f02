"""`inrvid project MODEL TARGET -o OUT.safetensors`."""

from __future__ import annotations

import json
from pathlib import Path

import typer

from ..text import printable
from .search_options import CPU, DISTANCE, FIRST, LABEL, PRECISION, RESIZE, SEED, STARTS, STEPS

_FRAMES = typer.Option(
    None, metavar="6-8,12", help="Frames to project; default: as many as last as long as a training clip."
)
_TIMES = typer.Option(
    None,
    metavar="6-8,12",
    help="Their times, in frames at the model's rate; default: from their numbers and frame rate.",
)
_MOTION = typer.Option(
    None,
    metavar="found|fixed",
    help="Whether to search for the motion noise, too; default: found if there are several frames.",
)


def project(
    model: str = typer.Argument(help="A model or run folder, or a Hub repository owner/name."),
    target: Path = typer.Argument(help="A photograph, a video file, or a folder of frames."),
    output: Path = typer.Option(
        ..., "-o", "--output", help="Latents: OUT.safetensors; beside it OUT.png: target, projection, error."
    ),
    frames: str = _FRAMES,
    times: str = _TIMES,
    first: int = FIRST,
    space: str = typer.Option("w+", metavar="w|w+", help="One style for all layers, or one for each."),
    motion: str = _MOTION,
    steps: int = STEPS,
    starts: int = STARTS,
    learning_rate: float = typer.Option(0.1, "--learning-rate", help="Highest learning rate; it ramps up and down."),
    seed: int = SEED,
    label: int = LABEL,
    distance: str = DISTANCE,
    resize: str = RESIZE,
    as_json: bool = typer.Option(False, "--json", help="Print the numbers as JSON."),
    precision: str = PRECISION,
    cpu: bool = CPU,
) -> None:
    """Find latents whose video shows given frames. An interrupted search continues where it stopped."""
    from ..applications.project import check_latents_path, project_file
    from ..applications.projection.search import SearchOptions
    from ..applications.targets import check_apart, parse_numbers, parse_whole
    from ..report.projection import heading, write_projection
    from .progress import shown

    options = SearchOptions.of(
        space=space, motion=motion, steps=steps, starts=starts, learning_rate=learning_rate, seed=seed, label=label
    )
    check_latents_path(output)
    picture = output.with_suffix(".png")
    check_apart(target, [picture])
    with shown("projecting", "steps", quiet=as_json) as progress:
        found = project_file(
            model,
            target,
            output,
            options,
            frames=None if frames is None else parse_whole(frames, "--frames"),
            times=None if times is None else parse_numbers(times, "--times"),
            first=first,
            rule=resize,
            distance=distance,
            precision=precision,
            cpu=cpu,
            said=_say,
            progress=progress,
        )
    write_projection(found, picture)
    if as_json:
        typer.echo(json.dumps({"latents": str(output), **found.numbers()}, indent=2))
        return
    typer.echo(f"{output}: {heading(found)}")


def _say(line: str) -> None:
    typer.echo(printable(line), err=True)
