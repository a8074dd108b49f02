"""`inrvid generate MODEL -o OUT`."""

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


def generate(
    model: str = typer.Argument(help="A model or run folder, or a Hub repository owner/name."),
    output: Path = typer.Option(..., "-o", "--output", help=f"{OUTPUT}; out.png, out.jpg: of one frame."),
    videos: int = typer.Option(None, min=1, help="Number of videos; video i is that of seed + i. Default: one."),
    frames: int = typer.Option(None, min=1, help="Frames of each; default: as long as a training clip."),
    seconds: float = SECONDS,
    fps: float = FPS,
    start: float = START,
    stride: int = STRIDE,
    slow: float = SLOW,
    seed: int = typer.Option(0, help="Seed of the first video."),
    seeds: str = typer.Option(None, metavar="3,17,40-42", help="Seed of each video, instead of --seed and --videos."),
    truncation: float = TRUNCATION,
    label: str = typer.Option(None, help="Class of a conditional model, number or name; default: drawn by the seed."),
    latents: str = typer.Option(None, metavar="FILE", help="Draw the videos of a file of latents instead of seeds."),
    save_latents: Path = typer.Option(None, metavar="FILE", help="Keep the videos' latents, for --latents."),
    size: str = SIZE,
    region: str = REGION,
    zoom_out: float = ZOOM_OUT,
    enlarge: int = ENLARGE,
    same_content: bool = typer.Option(
        False, "--same-content", help="All videos have the first one's content, each with its own motion."
    ),
    same_motion: bool = typer.Option(
        False, "--same-motion", help="All videos have the first one's motion, each with its own content."
    ),
    grid: bool = typer.Option(False, "--grid", help="All videos in one file, as a square."),
    side_by_side: bool = typer.Option(False, "--side-by-side", help="All videos in one file, in a row."),
    content_motion_grid: str = typer.Option(
        None, metavar="RxC", help="One file: R contents in rows, C motions in columns."
    ),
    difference: bool = typer.Option(False, "--difference", help="Two motions of one content, and their difference."),
    crf: int = CRF,
    lossless: bool = LOSSLESS,
    pictures: str = PICTURES,
    precision: str = PRECISION,
    processes: int = typer.Option(1, min=1, help="Processes that share the frames, a GPU each; the file is the same."),
    cpu: bool = CPU,
) -> None:
    """Generate videos. Several videos give several files (out_000.mp4, ...), unless they are arranged in one."""
    given = dict(locals())
    from ..applications.generate import Request, generate_videos
    from ..applications.targets import parse_whole
    from .progress import shown

    given["seeds"] = None if seeds is None else parse_whole(seeds, "--seeds", "seeds")
    request = Request.of(**options_of(Request, given))
    with shown(output.name, "frames") as progress:
        paths = generate_videos(model, output, request, save_latents=save_latents, cpu=cpu, progress=progress)
        for path in paths:
            typer.echo(path)
