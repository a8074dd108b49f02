"""`inrvid edit find|attribute|text|list|show|apply`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from ..errors import InrvidError
from ..text import printable
from .video_options import (
    CPU,
    CRF,
    ENLARGE,
    FPS,
    LOSSLESS,
    PICTURES,
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

if TYPE_CHECKING:
    from ..applications.edit.directions import Direction
    from ..applications.edit.video import Which
    from ..generators.base import VideoGenerator

app = typer.Typer(no_args_is_help=True)

_MODEL = typer.Argument(help="A model or run folder, or a Hub repository owner/name.")
_FILE = typer.Argument(metavar="DIRECTIONS", help="A file that find, attribute or text wrote.")
_INTO = typer.Option(
    ..., "-o", "--output", metavar="FILE.safetensors", help="File of directions; those already in it are kept."
)
_SEED = typer.Option(None, help="Seed of the video; default: 0.")
_LATENTS = typer.Option(None, metavar="FILE", help="A file of latents instead, as a projection writes it.")
_INDEX = typer.Option(None, min=0, help="Which of the file's videos; default: the first, 0.")
_MOTION = typer.Option(None, help="Seed of another motion than the video's own.")


@app.command()
def find(
    model: str = _MODEL,
    output: Path = _INTO,
    count: int = typer.Option(5, min=1, help="Number of directions."),
    length: str = typer.Option(
        "spread", metavar="spread|unit", help="Rank by change per standard deviation of w, or per unit of length."
    ),
    cpu: bool = CPU,
) -> None:
    """Find directions from the model's weights: style_1, style_2, …, the one of the largest change first."""
    from ..applications.edit.closed_form import LENGTHS, closed_form

    if length not in LENGTHS:
        raise InrvidError(f"--length {length}: expected one of {', '.join(LENGTHS)}")
    generator, before = _to_add(model, output, cpu)
    _keep(output, closed_form(generator, count, length), generator, before)


@app.command()
def attribute(
    model: str = _MODEL,
    name: str = typer.Argument(help="What the direction is to be called."),
    output: Path = _INTO,
    table: Path = typer.Option(
        None, "--csv", metavar="FILE", help="Rows of seed,value: how much of it each seed's video has."
    ),
    label: int = typer.Option(None, min=0, help="Class that has it."),
    against: int = typer.Option(None, min=0, help="With --label: class that has it not; default: all classes."),
    cpu: bool = CPU,
) -> None:
    """Find a direction from videos without something to videos with it."""
    from ..applications.edit.attribute import of_labels, of_seeds, read_table
    from ..applications.edit.directions import check_name

    check_name(name)
    if (table is None) == (label is None):
        raise InrvidError("inrvid edit attribute: give either --csv FILE, or --label N [--against N]")
    rows = None if table is None else read_table(table)
    generator, before = _to_add(model, output, cpu)
    if rows is None:
        direction = of_labels(generator, name, label, against)
    else:
        direction = of_seeds(generator, name, rows, f"seed,value of {printable(table.name)}")
    _keep(output, [direction], generator, before)


@app.command()
def text(
    model: str = _MODEL,
    wanted: str = typer.Argument(metavar="TEXT", help="What the frame should come to look like: 'a red sky'."),
    output: Path = _INTO,
    name: str = typer.Option("text", help="What the direction is to be called."),
    seed: int = _SEED,
    latents: str = _LATENTS,
    index: int = _INDEX,
    motion_seed: int = _MOTION,
    at: float = typer.Option(0.0, help="Which frame, in frames at the model's rate."),
    steps: int = typer.Option(40, help="Steps of Adam."),
    lr: float = typer.Option(0.1, "--learning-rate", "--lr", help="Learning rate of Adam."),
    l2: float = typer.Option(0.001, help="Weight of the squared length of the change."),
    mask: Path = typer.Option(None, metavar="PICTURE", help="White where the frame may change."),
    clip: str = typer.Option("ViT-B-32", metavar="NAME", help="open_clip's name of a network."),
    clip_weights: str = typer.Option(
        "laion2b_s34b_b79k", metavar="TAG|FILE", help="Its weights, of the Hub or a file."
    ),
    cpu: bool = CPU,
) -> None:
    """Find a direction that makes a frame look like a text, by CLIP; the whole video changes with it."""
    from ..applications.edit.clip import TextJudge
    from ..applications.edit.directions import check_name
    from ..applications.edit.guided import GuidedRequest, guided, read_mask

    check_name(name)
    request = GuidedRequest.of(at=at, steps=steps, lr=lr, l2=l2)
    video = _which(seed, latents, index, motion_seed)
    generator, before = _to_add(model, output, cpu)
    begin = video.latents_of(generator)
    area = None if mask is None else read_mask(mask, generator)
    judge = TextJudge(wanted, model=clip, weights=clip_weights, device=generator.device)
    how = f"CLIP {clip}, {steps} steps: {printable(wanted)[:500]}"
    direction = guided(generator, begin, judge, request, name=name, how=how, mask=area, told=_told(steps))
    _keep(output, [direction], generator, before)


@app.command("list")
def list_(file: Path = _FILE) -> None:
    """List the directions in a file, and how each was found."""
    from ..applications.edit.directions import load_directions

    for name, direction in load_directions(file).items():
        typer.echo(printable(f"{name:<16} {direction.how}"))


@app.command()
def show(
    model: str = _MODEL,
    file: Path = _FILE,
    output: Path = typer.Option(..., "-o", "--output", metavar="PICTURE.png", help="A row a direction."),
    names: str = typer.Option(None, metavar="NAME,…", help="These only; default: the first five."),
    strengths: str = typer.Option("-3,-2,-1,0,1,2,3", metavar="NUMBER,…", help="From left to right."),
    seed: int = _SEED,
    latents: str = _LATENTS,
    index: int = _INDEX,
    at: float = typer.Option(0.0, help="Which frame, in frames at the model's rate."),
    truncation: float = typer.Option(1.0, help="ψ < 1: less variety, more quality."),
    cpu: bool = CPU,
) -> None:
    """Draw what directions do to a frame, at several strengths."""
    from ..applications.edit.directions import load_directions, pick, strip
    from ..report.strips import write_strips

    if output.suffix != ".png":
        raise InrvidError(f"-o {output}: expected a name that ends in .png")
    numbers = [_number(part) for part in strengths.split(",")]
    generator = _opened(model, output, cpu)
    directions = load_directions(file, generator)
    chosen = [pick(directions, n.strip()) for n in names.split(",")] if names else list(directions.values())[:5]
    video = _which(seed, latents, index, None).latents_of(generator)
    frames = strip(generator, video, chosen, numbers, at, truncation)
    write_strips(
        output,
        frames,
        [direction.name for direction in chosen],
        [f"{number:+g}" if number else "0" for number in numbers],
    )
    typer.echo(output)


@app.command()
def apply(
    model: str = _MODEL,
    file: Path = _FILE,
    steps: list[str] = typer.Argument(metavar="NAME=STRENGTH…", help="How far along which: style_1=2.5 style_3=-1."),
    output: Path = typer.Option(..., "-o", "--output", help="A video as of generate; .safetensors: the latents."),
    seed: int = _SEED,
    latents: str = _LATENTS,
    index: int = _INDEX,
    motion_seed: int = _MOTION,
    frames: int = typer.Option(None, min=1, help="Frames; default: as long as a training clip."),
    seconds: float = SECONDS,
    fps: float = FPS,
    start: float = START,
    stride: int = STRIDE,
    slow: float = SLOW,
    truncation: float = TRUNCATION,
    size: str = SIZE,
    region: str = REGION,
    zoom_out: float = ZOOM_OUT,
    enlarge: int = ENLARGE,
    beside: bool = typer.Option(False, "--beside", help="Show the unchanged video on its left."),
    crf: int = CRF,
    lossless: bool = LOSSLESS,
    pictures: str = PICTURES,
    cpu: bool = CPU,
) -> None:
    """Write a video changed along directions; --motion-seed gives it, and what is beside it, another motion."""
    given = dict(locals())
    from ..applications.edit.directions import load_directions
    from ..applications.edit.video import Request, edited, edited_frames, parse_steps
    from ..video_io import WRITABLE, check_path, check_video, writing

    if output.suffix.lower() not in (*WRITABLE, ".safetensors") or not output.name:
        raise InrvidError(
            f"-o {output}: a video (.mp4, .webm, .gif, .npz, a folder for png frames), or .safetensors for latents"
        )
    given |= {"steps": parse_steps(steps), "video": _which(seed, latents, index, motion_seed)}
    request = Request.of(**options_of(Request, given))
    of_latents = output.suffix.lower() == ".safetensors"
    if of_latents:
        request.check_of_latents()
    else:
        check_path(output, request.encoding)
    generator = _opened(model, output, cpu)
    directions = load_directions(file, generator)
    if of_latents:
        edited(generator, directions, request).save(output)
    else:
        rate, count = request.rate(generator), len(request.times(generator))
        check_video(output, rate, count, request.encoding, request.frame_size(generator))
        with writing(output, rate, count, request.encoding) as write:
            for some in edited_frames(generator, directions, request):
                write(some)
    typer.echo(output)


def _opened(model: str, output: Path, cpu: bool) -> VideoGenerator:
    """The model, once it is known that there is a place for what is made of it."""
    from ..applications.model import open_model

    if output.is_dir() and output.suffix:
        raise InrvidError(f"-o {output}: is a folder: give the name of a file")
    return open_model(model, cpu=cpu)


def _to_add(model: str, output: Path, cpu: bool) -> tuple[VideoGenerator, dict[str, Direction]]:
    """The model, and the directions that the file has already."""
    from ..applications.edit.directions import load_directions

    if output.suffix != ".safetensors":
        raise InrvidError(f"-o {output}: directions are written as .safetensors")
    generator = _opened(model, output, cpu)
    return generator, load_directions(output, generator) if output.exists() else {}


def _keep(output: Path, found: list[Direction], generator: VideoGenerator, before: dict[str, Direction]) -> None:
    from ..applications.edit.directions import save_directions

    save_directions(output, [*before.values(), *found], generator)
    for direction in found:
        instead = " (in the place of an earlier one)" if direction.name in before else ""
        typer.echo(printable(f"{direction.name}: {direction.how}{instead}"))
    typer.echo(output)


def _which(seed: int | None, latents: str | None, index: int | None, motion_seed: int | None) -> Which:
    from ..applications.edit.video import Which

    if latents is None and index is not None:
        raise InrvidError("--index: the number of a video in a file: give --latents FILE, too")
    if latents is not None and seed is not None:
        raise InrvidError("--seed and --latents: give one of them")
    return Which.of(seed=seed or 0, latents=latents, index=index or 0, motion_seed=motion_seed)


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not abs(value) <= 1000:
        raise InrvidError(f"--strengths: '{text[:40]}' is no number from -1000 to 1000")
    return value


def _told(steps: int) -> Any:
    """A line for each tenth of the steps, on standard error."""

    def show(step: int, loss: float) -> None:
        if step % max(1, steps // 10) == 0 or step == steps:
            print(f"step {step} of {steps}: {loss:.4f}", file=sys.stderr, flush=True)

    return show
