"""`inrvid predict MODEL VIDEO --given 6-8 -o FOLDER`."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from ..text import printable
from .search_options import CPU, DISTANCE, FIRST, LABEL, PRECISION, RESIZE, SEED, STARTS, STEPS

if TYPE_CHECKING:
    from ..applications.predict_video import VideoPrediction


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
    first: int = FIRST,
    space: str = typer.Option("w+", metavar="w|w+", help="One style for all layers (DIGAN's), or one for each."),
    steps: int = STEPS,
    starts: int = STARTS,
    seed: int = SEED,
    label: int = LABEL,
    distance: str = DISTANCE,
    line: bool = typer.Option(
        True, "--line/--no-line", help="Also try the line between latents of single frames (a second search)."
    ),
    resize: str = RESIZE,
    as_json: bool = typer.Option(False, "--json", help="Print the numbers as JSON instead of a table."),
    precision: str = PRECISION,
    cpu: bool = CPU,
) -> None:
    """Predict frames of a video before, after and between given ones, and compare with simpler methods."""
    from ..applications.predict_video import predict_video, remove_states
    from ..applications.projection.search import SearchOptions
    from ..applications.targets import check_apart, parse_whole
    from ..errors import InrvidError
    from ..report.prediction import FILES, write_prediction
    from .progress import shown

    if output.exists() and not output.is_dir():
        raise InrvidError(f"-o {output}: is a file: give the name of a folder, for several files")
    check_apart(video, [output / name for name in FILES])
    with shown("projecting", "steps", quiet=as_json) as progress:
        found = predict_video(
            model,
            video,
            parse_whole(given, "--given"),
            None if predicted is None else parse_whole(predicted, "--predict"),
            SearchOptions.of(space=space, steps=steps, starts=starts, seed=seed, label=label),
            first=first,
            rule=resize,
            distance=distance,
            line=line,
            precision=precision,
            cpu=cpu,
            folder=output,
            said=_say,
            progress=progress,
        )
    paths = write_prediction(found, output)
    remove_states(output)
    if as_json:
        typer.echo(json.dumps(found.numbers(), indent=2))
    else:
        _tell(found, paths)


def _say(line: str) -> None:
    typer.echo(printable(line), err=True)


def _tell(found: VideoPrediction, paths: Iterable[Path]) -> None:
    """How well the given frames are met, the table of scores, if the truth is known, and what was written."""
    from rich.console import Console

    from ..report.prediction import table

    if (score := found.reproduced) is not None:
        typer.echo(f"the model's video at the given frames: SSIM {score.ssim:.4f}, PSNR {score.psnr:.2f} dB")
    if found.scores:
        Console().print(table(found.scores))
    typer.echo("\n".join(str(path) for path in paths))
