"""`inrvid generate MODEL -o OUT`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import typer

OUTPUT = "out.mp4, out.webm, out.gif, out.npz, or a folder for pictures of the frames"


def generate(
    model: str = typer.Argument(help="A model or run folder, or a Hub repository owner/name."),
    output: Path = typer.Option(..., "-o", "--output", help=f"{OUTPUT}; out.png, out.jpg: of one frame."),
    videos: int = typer.Option(None, min=1, help="Number of videos; video i is that of seed + i. Default: one."),
    frames: int = typer.Option(None, min=1, help="Frames of each; default: as long as a training clip."),
    seconds: float = typer.Option(None, help="Length of the file, instead of --frames."),
    fps: float = typer.Option(None, help="Frames a second of the file; default: the model's own rate."),
    start: float = typer.Option(0.0, help="Time of the first frame, in frames at the model's rate; may be negative."),
    stride: int = typer.Option(1, min=1, help="Take every n-th frame: n times as fast."),
    slow: float = typer.Option(1.0, help="Slow motion: 4 is four times as slow."),
    seed: int = typer.Option(0, help="Seed of the first video."),
    seeds: str = typer.Option(None, metavar="3,17,40-42", help="Seed of each video, instead of --seed and --videos."),
    truncation: float = typer.Option(1.0, help="ψ < 1: less variety, more quality."),
    label: str = typer.Option(None, help="Class of a conditional model, number or name; default: drawn by the seed."),
    latents: str = typer.Option(None, metavar="FILE", help="Draw the videos of a file of latents instead of seeds."),
    save_latents: Path = typer.Option(None, metavar="FILE", help="Keep the videos' latents, for --latents."),
    size: str = typer.Option(None, metavar="N|HxW", help="Height x width of the frames; default: the model's."),
    region: str = typer.Option(None, metavar="x0,y0,x1,y1", help="Part of the plane; 0,0,1,1 is the frame; y down."),
    zoom_out: float = typer.Option(None, help="1.5 shows a region 1.5 times as wide and as high; 0.5 zooms in."),
    enlarge: int = typer.Option(1, min=1, max=64, help="Show each pixel as N by N: small models on large screens."),
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
    crf: int = typer.Option(None, help="Quality: mp4 0 … 51 (12), webm 0 … 63 (20); lower is better and larger."),
    lossless: bool = typer.Option(
        False, "--lossless", help="Keep every pixel exactly in mp4 and webm; few players show such files."
    ),
    pictures: str = typer.Option(None, metavar="png|jpg", help="Format of the frames in a folder; default: png."),
    precision: str = typer.Option(
        None, metavar="fp32|tf32|bf16|fp16", help="Default: the model's own, or fp32 where that is tf32."
    ),
    processes: int = typer.Option(1, min=1, help="Processes that share the frames, a GPU each; the file is the same."),
    cpu: bool = typer.Option(False, "--cpu", help="Run on the CPU, even where there is a GPU."),
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


def options_of(request: Any, given: dict[str, Any]) -> dict[str, Any]:
    """The values of a command that are fields of its request, and how files are encoded."""
    encoding = {name: given[name] for name in ("crf", "lossless", "pictures") if given.get(name) is not None}
    own = {name: given[name] for name in request.model_fields if name in given}
    return {**own, "encoding": encoding}
