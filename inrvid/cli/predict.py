"""`inrvid predict MODEL VIDEO --given 6-8 -o FOLDER`."""

from __future__ import annotations

import json
from pathlib import Path

import typer

from ..text import printable


def predict(
    model: str = typer.Argument(help="A model or run folder, or a Hub repository owner/name."),
    video: Path = typer.Argument(help="A video file, or a folder of frames."),
    given: str = typer.Option(..., metavar="6-8,12", help="The frames that are given."),
    output: Path = typer.Option(
        ..., "-o", "--output", help="Folder for prediction.json, .png, .mp4, beside.mp4 and latents.safetensors."
    ),
    predicted: str = typer.Option(
        None, "--predict", metavar="3-5,9-11", help="Those to predict; default: all others of a training clip."
    ),
    first: int = typer.Option(0, min=0, help="Frames are counted from this one on: it is at time 0."),
    space: str = typer.Option("w", metavar="w|w+", help="One style for all layers, or one for each."),
    steps: int = typer.Option(1000, min=1, help="Of gradient descent."),
    starts: int = typer.Option(1, min=1, help="Searches side by side, of which the best is kept."),
    seed: int = typer.Option(0, min=0, help="Of the first start's motion, and of the noise on the way."),
    label: int = typer.Option(None, min=0, help="Class of a conditional model; default: drawn by the seed."),
    distance: str = typer.Option(
        "auto", metavar="auto|vgg16|efficientnet_lite0|pixels", help="What is made small; auto: what is here."
    ),
    line: bool = typer.Option(True, "--line/--no-line", help="The line between latents of frames: a second search."),
    resize: str = typer.Option("center_crop", metavar="center_crop|squash", help="Of frames with another shape."),
    as_json: bool = typer.Option(False, "--json", help="Numbers for programs, instead of a table."),
    precision: str = typer.Option(None, metavar="fp32|tf32|bf16|fp16", help="Default: as it was trained."),
    cpu: bool = typer.Option(False, "--cpu", help="Do not use an accelerator."),
) -> None:
    """Predict frames of a video before, behind and between given ones, and score them beside simpler ways."""
    from rich.console import Console

    from ..applications.predict_video import predict_video, remove_states
    from ..applications.projection.search import SearchOptions
    from ..applications.targets import check_apart, parse_frames
    from ..errors import InrvidError
    from ..report.prediction import FILES, table, write_prediction
    from .progress import steps_shown

    if output.exists() and not output.is_dir():
        raise InrvidError(f"-o {output}: a file: several are written, give the name of a folder")
    check_apart(video, [output / name for name in FILES])
    with steps_shown("projecting", quiet=as_json) as progress:
        found = predict_video(
            model,
            video,
            parse_frames(given, "--given"),
            None if predicted is None else parse_frames(predicted, "--predict"),
            SearchOptions.of(space=space, steps=steps, starts=starts, seed=seed, label=label),
            first=first,
            rule=resize,
            distance=distance,
            line=line,
            precision=precision,
            cpu=cpu,
            folder=output,
            said=lambda text: typer.echo(printable(text), err=True),
            progress=progress,
        )
    paths = write_prediction(found, output)
    remove_states(output)
    if as_json:
        typer.echo(json.dumps(found.numbers(), indent=2))
        return
    if found.scores:
        Console().print(table(found.scores))
    typer.echo("\n".join(str(path) for path in paths))
