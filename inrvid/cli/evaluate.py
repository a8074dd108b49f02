"""`inrvid evaluate MODEL|VIDEOS --against DATA`, `inrvid evaluate --leaderboard PATH…`."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from ..errors import InrvidError
from ..text import printable

if TYPE_CHECKING:
    from ..evaluation.evaluate import Evaluation, Progress, Seen
    from ..evaluation.features import Share
    from ..evaluation.record import Record
    from ..evaluation.traps import Traps

TRAPPED = "fvd16"
"""The metric that traps are shown for, unless others are named."""
CHARTS, RECORDS, PICTURES = (".html", ".png", ".json"), (".json",), (".png",)
"""How a table of traps, a record, and a picture of clips are written."""


_SUBJECTS = typer.Argument(
    None,
    metavar="SUBJECT | --leaderboard PATH…",
    help="A model (folder, run, Hub repository owner/name), or a folder of videos; or records to be compared.",
)
_AGAINST = typer.Option(
    None, "--against", metavar="DATA", help="Real videos: a path; default: what the model was trained on."
)
_PROTOCOL = typer.Option(
    "inrvid", "--protocol", metavar="NAME|FILE", help="How scores are made (inrvid plugins list protocols)."
)
_METRICS = typer.Option(None, "--metrics", metavar="fvd16,kvd", help="These instead of the protocol's.")
_DETECTOR = typer.Option(
    None, "--detector", metavar="FILE", help="Weights of the metrics' detector; default: the ones fetched."
)
_SET = typer.Option([], "--set", metavar="KEY=VALUE", help="Change a key of the protocol; the record says so.")
_DATA = typer.Option([], "--data", metavar="KEY=VALUE", help="Change how the real videos are read: split=test.")
_LEADERBOARD = typer.Option(
    False, "--leaderboard", help="Compare records: of files, and of folders, which are searched."
)
_TRAPS = typer.Option(
    False, "--traps", help="Measure how far each choice of a protocol moves the score; default metric: fvd16."
)
_NEAREST = typer.Option(
    None, "--nearest", metavar="PATH.png", help="Draw the generated clips that are nearest to a real one, beside it."
)
_OUTPUT = typer.Option(
    None,
    "-o",
    "--output",
    help="Write the record (.json; RUN/evaluation.json goes into its card), the leaderboard (.md, .html) or the table "
    "of --traps (.json, .html, .png).",
)
_JSON = typer.Option(False, "--json", help="Print the record, or the leaderboard, as JSON instead of a table.")


def evaluate(
    context: typer.Context,
    subjects: list[str] = _SUBJECTS,
    against: str = _AGAINST,
    protocol: str = _PROTOCOL,
    metrics: str = _METRICS,
    detector: Path = _DETECTOR,
    overrides: list[str] = _SET,
    data: list[str] = _DATA,
    fps: float = typer.Option(None, help="Resample the videos to this rate."),
    resolution: int = typer.Option(None, min=4, help="Bring videos of different sizes to this side."),
    any_rate: bool = typer.Option(False, "--any-rate", help="Compare videos of different frame rates."),
    force: bool = typer.Option(False, "--force", help="Score fewer clips than asked for, or than make sense."),
    leaderboard: bool = _LEADERBOARD,
    traps: bool = _TRAPS,
    nearest: Path = _NEAREST,
    output: Path = _OUTPUT,
    as_json: bool = _JSON,
    processes: int = typer.Option(1, "--processes", min=1, max=64, help="Processes that share the work."),
    fresh: bool = typer.Option(False, "--fresh", help="Compute features of real videos again."),
    cpu: bool = typer.Option(False, "--cpu", help="Run on the CPU, even where there is a GPU."),
) -> None:
    """Score a model, or any videos, against real ones; or compare scores."""
    subject = _subject(subjects or [], leaderboard)
    if leaderboard:
        _compare(subjects, output, as_json, context)
        return
    _check_output(output, CHARTS if traps else RECORDS)
    _check_output(nearest, PICTURES)
    if nearest and traps:
        raise InrvidError("--nearest goes with scores: leave out --traps")
    changes = _changes(data, fps)
    launcher = _is_launcher(processes)
    from ..evaluation.evaluate import Evaluation
    from ..evaluation.protocol import load_protocol, with_weights
    from ..evaluation.subjects import default_device, open_given, real_subject

    if traps and not any(item.startswith("metrics=") for item in overrides):
        metrics = metrics or TRAPPED
    chosen, variant = load_protocol(protocol, overrides, metrics)
    if detector is not None:
        chosen = with_weights(chosen, detector)
    device = default_device(cpu or launcher)
    given = open_given(subject, chosen, fps=fps, resolution=resolution, device=str(device))
    real = real_subject(against, given, chosen, changes, any_rate=any_rate)
    fakes = given.subjects(chosen, real)
    if launcher:  # what is wrong was told once by now
        raise typer.Exit(_launched(processes))
    with _shared() as share, _progress(quiet=share.rank > 0) as progress:
        evaluation = Evaluation(
            chosen, variant, real, fakes, clip_length=given.clip_length, resolution=given.resolution, device=device,
            share=share, force=force, fresh=fresh, progress=progress,
        )  # fmt: skip
        seen, found = _looked_at(evaluation, traps=traps, nearest=nearest is not None)
    if share.rank == 0:
        _tell(found, output, as_json)
        if nearest is not None and seen is not None:
            _draw(evaluation, seen, nearest, quiet=as_json)


def _looked_at(evaluation: Evaluation, *, traps: bool, nearest: bool) -> tuple[Seen | None, Record | Traps]:
    """What was seen, but for traps; and what it comes to."""
    from ..evaluation.nearest import comparing
    from ..evaluation.traps import TrapTable

    if nearest:
        comparing(evaluation)  # refused now, not after hours
    for line in evaluation.left_out if evaluation.share.rank == 0 else ():
        typer.echo(printable(line), err=True)
    if traps:
        return None, TrapTable(evaluation)()
    seen = evaluation.look()
    return seen, evaluation.scored(seen)


def _compare(paths: list[str], output: Path | None, as_json: bool, context: typer.Context) -> None:
    written = {name for name in context.params if _is_written(context, name)}
    if written - {"subjects", "leaderboard", "output", "as_json"}:
        raise InrvidError("--leaderboard compares existing records: give no other options with it than -o and --json")
    from .leaderboard import show_leaderboard

    show_leaderboard(paths, output, as_json)


def _is_written(context: typer.Context, name: str) -> bool:
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


def _check_output(output: Path | None, suffixes: tuple[str, ...]) -> None:
    """Before anything is computed."""
    if output is None:
        return
    if output.suffix not in suffixes:
        raise InrvidError(f"{output}: expected a name that ends in {' or '.join(suffixes)}")
    if output.is_dir():
        raise InrvidError(f"{output}: a folder, not a file")
    folder = next(place for place in output.absolute().parents if place.exists())
    if not folder.is_dir() or not os.access(folder, os.W_OK):
        raise InrvidError(
            f"{output}: cannot be written: {folder} is {'write-protected' if folder.is_dir() else 'a file'}"
        )


def _changes(data: list[str], fps: float | None) -> dict[str, Any]:
    """Changes to how the real videos are read."""
    from ..plain_yaml import parse_value

    if wrong := [item for item in data if item.find("=") < 1]:
        raise InrvidError(f"--data {wrong[0]}: expected KEY=VALUE")
    changes = {key: parse_value(value) for key, _, value in (item.partition("=") for item in data)}
    return changes | ({"fps": fps} if fps else {})


def _is_launcher(processes: int) -> bool:
    """Whether this process is to start them, and is not one of them."""
    from ..training.processes.launch import check_group, inside_launcher

    check_group()
    return processes > 1 and not inside_launcher()


def _launched(processes: int) -> int:
    from ..training.processes.launch import launch

    return launch(processes, sys.argv[1:])


def _tell(found: Record | Traps, output: Path | None, as_json: bool) -> None:
    from ..evaluation.traps import Traps
    from .scores import print_record, print_traps

    if as_json:
        typer.echo(found.model_dump_json(indent=2, exclude_none=True))
    elif isinstance(found, Traps):
        print_traps(found)
    else:
        print_record(found)
    if output is not None:  # after it was said: what cannot be written is not lost
        _write(found, output)


def _write(found: Record | Traps, output: Path) -> None:
    from ..evaluation.traps import Traps
    from ..report.traps import write_traps

    if isinstance(found, Traps):
        write_traps(found, output)
    else:
        found.write(output)


def _draw(evaluation: Evaluation, seen: Seen, path: Path, quiet: bool) -> None:
    """After the record is written: what cannot be drawn costs the picture alone."""
    from ..evaluation.nearest import nearest_pairs
    from ..report.nearest import write_nearest

    found = nearest_pairs(evaluation, seen)
    write_nearest(found, path)
    if not quiet:
        first, last = found.pairs[0].distance, found.pairs[-1].distance
        typer.echo(
            f"{path}: the {len(found.pairs)} clips nearest to a real one, at {first:.3f} … {last:.3f} (0: copies)"
        )


def _subject(subjects: list[str], leaderboard: bool) -> str:
    """What is to be scored. Raises InrvidError where nothing, or more than one thing, is named."""
    if not subjects:
        raise InrvidError(
            "inrvid evaluate: give a model or a folder of videos to score, or --leaderboard PATH… to compare records"
        )
    if len(subjects) > 1 and not leaderboard:
        raise InrvidError(
            f"inrvid evaluate: one model or folder of videos, got {len(subjects)}: {', '.join(subjects)}; "
            "--leaderboard compares records"
        )
    return subjects[0]


@contextmanager
def _shared() -> Iterator[Share]:
    """This process's part of the work, where a launcher started several. What is wrong is so in all of a machine's, and
    one of them tells it."""
    from ..evaluation.features import Share

    count = int(os.environ.get("WORLD_SIZE", "1"))
    if count == 1:
        yield Share()
        return
    import torch.distributed as dist

    from ..training.processes.group import PATIENCE
    from ..training.processes.launch import follow_launcher, meeting

    follow_launcher()
    with meeting():
        dist.init_process_group("gloo")
    patient = dist.new_group(backend="gloo", timeout=PATIENCE)  # one may have a batch more, of minutes a clip

    def gather(own: object) -> list[Any]:
        found: list[Any] = [None] * count
        dist.all_gather_object(found, own, group=patient)
        return found

    try:
        yield Share(dist.get_rank(), count, gather)
    except InrvidError:
        if int(os.environ.get("LOCAL_RANK", "0")) > 0:
            raise typer.Exit(2) from None
        raise
    finally:
        dist.destroy_process_group()


@contextmanager
def _progress(quiet: bool) -> Iterator[Progress]:
    """Bars with the time left on a terminal; else a line a minute."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True, quiet=quiet)
    told = time.monotonic()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=quiet or not console.is_terminal) as bars:
        tasks: dict[str, Any] = {}

        def show(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bars.add_task(what, total=total)
            bars.update(tasks[what], completed=done)
            nonlocal told
            if not quiet and not console.is_terminal and time.monotonic() - told > 60:
                told = time.monotonic()
                print(f"{what}: {done} of {total}", file=sys.stderr, flush=True)

        yield show
