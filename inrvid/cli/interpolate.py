"""`inrvid interpolate MODEL FIRST SECOND -o OUT`."""

from __future__ import annotations

from pathlib import Path

import typer

from .video_options import (
    CPU,
    CRF,
    ENLARGE,
    FPS,
    LOSSLESS,
    OUTPUT,
    PICTURES,
    PRECISION,
    REGION,
    SECONDS,
    SIZE,
    SLOW,
    START,
    STRIDE,
    TRUNCATION,
    ZOOM_OUT,
    options_of,
)


def interpolate(
    model: str = typer.Argument(help="A model or run folder, or a Hub repository owner/name."),
    first: str = typer.Argument(help="A seed, or a file of latents."),
    second: str = typer.Argument(help="A seed, or a file of latents."),
    output: Path = typer.Option(..., "-o", "--output", help=f"{OUTPUT}; out.png: a picture, λ down, t to the right."),
    space: str = typer.Option("phi", metavar="phi|z|w|motion|all", help="What changes on the way."),
    how: str = typer.Option(None, metavar="linear|spherical", help="Default: linear in phi and w, else spherical."),
    at: float = typer.Option(None, help="All frames at this time; default: time runs from --start."),
    frames: int = typer.Option(None, min=1, help="Steps of the way; default: as many as a training clip has frames."),
    seconds: float = SECONDS,
    fps: float = FPS,
    start: float = START,
    stride: int = STRIDE,
    slow: float = SLOW,
    label: str = typer.Option(None, help="Class of both, of seeds: number or name; default: drawn by each seed."),
    truncation: float = TRUNCATION,
    rows: int = typer.Option(None, min=1, help="Of a picture: values of λ; default: 5."),
    columns: int = typer.Option(None, min=1, help="Of a picture: times; default: 8, with --at 1."),
    size: str = SIZE,
    region: str = REGION,
    zoom_out: float = ZOOM_OUT,
    enlarge: int = ENLARGE,
    crf: int = CRF,
    lossless: bool = LOSSLESS,
    pictures: str = PICTURES,
    precision: str = PRECISION,
    cpu: bool = CPU,
) -> None:
    """Interpolate from one video to another: INR weights φ (DIGAN, figure 9), or latents."""
    given = dict(locals())
    from ..applications.interpolate import Request, interpolate_videos
    from .progress import shown

    request = Request.of(**options_of(Request, given))
    with shown(output.name, "frames") as progress:
        interpolate_videos(model, first, second, output, request, cpu=cpu, progress=progress)
    typer.echo(output)
