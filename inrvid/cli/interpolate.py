"""`inrvid interpolate MODEL FIRST SECOND -o OUT`."""

from __future__ import annotations

from pathlib import Path

import typer

from .generate import OUTPUT, options_of


def interpolate(
    model: str = typer.Argument(help="A model or run folder, or a Hub repository owner/name."),
    first: str = typer.Argument(help="A seed, or a file of latents."),
    second: str = typer.Argument(help="A seed, or a file of latents."),
    output: Path = typer.Option(..., "-o", "--output", help=f"{OUTPUT}; out.png: a picture, λ down, t to the right."),
    space: str = typer.Option("phi", metavar="phi|z|w|motion|all", help="What changes on the way."),
    how: str = typer.Option(None, metavar="linear|spherical", help="Default: linear in phi and w, else spherical."),
    at: float = typer.Option(None, help="All frames at this time; default: time runs from --start."),
    frames: int = typer.Option(None, min=1, help="Steps of the way; default: as many as a training clip has frames."),
    seconds: float = typer.Option(None, help="Length of the file, instead of --frames."),
    fps: float = typer.Option(None, help="Frames a second of the file; default: the model's own rate."),
    start: float = typer.Option(0.0, help="Time of the first frame, in frames at the model's rate; may be negative."),
    stride: int = typer.Option(1, min=1, help="Take every n-th frame: n times as fast."),
    slow: float = typer.Option(1.0, help="Slow motion: 4 is four times as slow."),
    label: str = typer.Option(None, help="Class of both, of seeds: number or name; default: drawn by each seed."),
    truncation: float = typer.Option(1.0, help="ψ < 1: less variety, more quality."),
    rows: int = typer.Option(None, min=1, help="Of a picture: values of λ; default: 5."),
    columns: int = typer.Option(None, min=1, help="Of a picture: times; default: 8, with --at 1."),
    size: str = typer.Option(None, metavar="N|HxW", help="Height x width of the frames; default: the model's."),
    region: str = typer.Option(None, metavar="x0,y0,x1,y1", help="Part of the plane; 0,0,1,1 is the frame; y down."),
    zoom_out: float = typer.Option(None, help="1.5 shows a region 1.5 times as wide and as high; 0.5 zooms in."),
    enlarge: int = typer.Option(1, min=1, max=64, help="Show each pixel as N by N: small models on large screens."),
    crf: int = typer.Option(None, help="Quality: mp4 0 … 51 (12), webm 0 … 63 (20); lower is better and larger."),
    lossless: bool = typer.Option(
        False, "--lossless", help="Keep every pixel exactly in mp4 and webm; few players show such files."
    ),
    pictures: str = typer.Option(None, metavar="png|jpg", help="Format of the frames in a folder; default: png."),
    precision: str = typer.Option(
        None, metavar="fp32|tf32|bf16|fp16", help="Default: the model's own, or fp32 where that is tf32."
    ),
    cpu: bool = typer.Option(False, "--cpu", help="Run on the CPU, even where there is a GPU."),
) -> None:
    """Interpolate from one video to another: INR weights φ (DIGAN, figure 9), or latents."""
    given = dict(locals())
    from ..applications.interpolate import Request, interpolate_videos
    from .progress import shown

    request = Request.of(**options_of(Request, given))
    with shown(output.name, "frames") as progress:
        interpolate_videos(model, first, second, output, request, cpu=cpu, progress=progress)
    typer.echo(output)
