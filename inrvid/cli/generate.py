"""`inrvid generate MODEL -o OUT`."""

from __future__ import annotations

from pathlib import Path

import typer


def generate(
    model: str = typer.Argument(help="A model or run folder, or a Hub repository owner/name."),
    output: Path = typer.Option(..., "-o", "--output", help="out.mp4, out.gif, or a folder for png frames."),
    videos: int = typer.Option(1, min=1, help="Number of videos; video i is that of seed + i."),
    frames: int = typer.Option(None, min=1, help="Frames of each; default: as long as a training clip."),
    seconds: float = typer.Option(None, help="Length instead of --frames."),
    fps: float = typer.Option(None, help="Frames a second to evaluate; default: the model's own rate."),
    start: float = typer.Option(0.0, help="Time of the first frame, in frames at the model's rate; may be negative."),
    seed: int = typer.Option(0, help="Seed of the first video."),
    truncation: float = typer.Option(1.0, help="ψ < 1: less variety, more quality."),
    label: int = typer.Option(None, min=0, help="Class of a conditional model; default: drawn by the seed."),
    size: str = typer.Option(None, metavar="N|HxW", help="Size of the frames; default: the model's."),
    grid: bool = typer.Option(False, "--grid", help="All videos side by side in one file."),
    precision: str = typer.Option(
        None, metavar="fp32|tf32|bf16|fp16", help="Default: as it was trained, tf32 as fp32."
    ),
    cpu: bool = typer.Option(False, "--cpu", help="Do not use an accelerator."),
) -> None:
    """Generate videos. Several videos give several files (out_000.mp4, ...), unless --grid."""
    from ..applications.generate import Request, generate_videos
    from ..errors import InrvidError

    if frames is not None and seconds is not None:
        raise InrvidError("--frames and --seconds: give one of them")
    request = Request.of(
        videos=videos,
        frames=frames,
        seconds=seconds,
        fps=fps,
        start=start,
        seed=seed,
        truncation=truncation,
        label=label,
        size=size,
        grid=grid,
        precision=precision,
    )
    for path in generate_videos(model, output, request, cpu=cpu):
        typer.echo(path)
