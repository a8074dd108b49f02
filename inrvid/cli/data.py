"""`inrvid data`: look at data sets, find broken videos, convert to a zip of frames."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import ConfigError, DataError
from ..text import printable

if TYPE_CHECKING:
    from ..data.base import VideoDataset

app = typer.Typer(no_args_is_help=True, help="Look at, check and convert data sets of videos.")

BENCH_SECONDS = 5.0
BENCH_BATCH = 16

PathArgument = Annotated[
    Path, typer.Argument(help="A folder of videos or of frames, a zip, UCF-101's root, or a video.")
]
TypeOption = Annotated[str, typer.Option("--type", help="Type of data set; auto looks at the path.")]
Resolution = Annotated[int, typer.Option(min=4, help="Side of the frames, pixels.")]
Fps = Annotated[float | None, typer.Option(help="Resample to this rate; default: each video's own.")]
Stride = Annotated[int, typer.Option(min=1, help="Keep every n-th frame.")]
UseLabels = Annotated[bool, typer.Option("--labels", help="Use the videos' classes.")]


@app.command()
def info(
    path: PathArgument,
    type_: TypeOption = "auto",
    resolution: Resolution = 128,
    clip_length: Annotated[int, typer.Option(min=2, help="Frames of a clip; shorter videos are left out.")] = 16,
    fps: Fps = None,
    stride: Stride = 1,
    labels: UseLabels = False,
    bench: Annotated[bool, typer.Option("--bench", help="Measure how many clips a second can be read.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False,
) -> None:
    """Say what a data set holds, and what is left out and why."""
    kind, dataset = _open(
        path, type_, resolution=resolution, clip_length=clip_length, fps=fps, stride=stride, labels=labels
    )
    speeds = _speeds(dataset) if bench else {}
    if as_json:
        typer.echo(json.dumps({**_described(kind, dataset), **speeds}))
        return
    typer.echo(printable("\n".join([f"{kind}: {path}", *dataset.summary()])))
    for name, speed in speeds.items():
        typer.echo(f"{name.replace('_', ' ')}: {speed:.1f}")


@app.command()
def verify(
    path: PathArgument,
    type_: TypeOption = "auto",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False,
) -> None:
    """Decode everything and name what is broken; exit code 2 if anything is."""
    from ..data.verify import broken_videos

    kind, dataset = _open(path, type_, resolution=16, clip_length=1)
    broken: list[dict[str, str]] = []
    for item in broken_videos(dataset):
        broken.append({"name": item.name, "reason": item.reason})
        if not as_json:
            typer.echo(printable(f"{item.name}: {item.reason}"))
    total = len(dataset) + len(dataset.skipped)
    if as_json:
        typer.echo(json.dumps({"type": kind, "videos": total, "broken": broken}))
    elif not broken:
        typer.echo(f"{kind}: {path}\nall of its {total} videos can be decoded to the last frame{_unless(dataset)}")
    if broken:
        raise DataError(f"{path}: {len(broken)} of {total} videos are broken{_unless(dataset)}")


@app.command()
def convert(
    path: PathArgument,
    out: Annotated[Path, typer.Argument(help="The zip file to write.")],
    resolution: Resolution = 128,
    type_: TypeOption = "auto",
    format_: Annotated[str, typer.Option("--format", help="jpeg, or png (lossless, larger).")] = "jpeg",
    quality: Annotated[int, typer.Option(min=1, max=100, help="Quality of jpeg.")] = 95,
    fps: Fps = None,
    stride: Stride = 1,
    resize: Annotated[str, typer.Option(help="center_crop or squash.")] = "center_crop",
    interpolation: Annotated[str, typer.Option(help="bicubic, or bilinear as in DIGAN's release.")] = "bicubic",
    labels: UseLabels = False,
    clip_length: Annotated[int, typer.Option(min=1, help="Leave out videos of fewer frames.")] = 1,
    on_error: Annotated[str, typer.Option(help="What to do with a broken video: skip or fail.")] = "skip",
) -> None:
    """Write a zip of frames at one resolution, which trains faster than video files."""
    from ..data.convert import SUFFIXES
    from ..data.convert import convert as write
    from ..data.summary import counted, skipped_lines, uneven_lines

    if format_ not in SUFFIXES or out.suffix.lower() != ".zip":
        problem = "--format: expected jpeg or png" if format_ not in SUFFIXES else f"{out}: its name should end in .zip"
        raise DataError(problem)
    _, dataset = _open(
        path, type_, resolution=resolution, clip_length=clip_length, fps=fps, stride=stride, resize=resize,
        interpolation=interpolation, labels=labels, on_error=on_error,
    )  # fmt: skip
    try:
        failed = write(dataset, out, format_, quality)
    except OSError as error:  # some of them name the temporary file beside it
        raise DataError(f"{out}: cannot be written: {error.strerror or error}") from error
    size = out.stat().st_size / 2**20
    typer.echo(f"{out}: {counted(len(dataset) - len(failed), 'video')}, {size:.1f} MiB")
    told = [*uneven_lines(dataset.uneven), *skipped_lines([*dataset.skipped, *failed], str(path))]
    lines = "".join(f"{line}\n" for line in told)
    typer.echo(printable(lines), nl=False)


def _open(path: Path, type_: str, **values: Any) -> tuple[str, VideoDataset]:
    """(type, data set). Raises InrvidError: nothing there, wrong type, values out of range."""
    from ..data.open import detect, open_dataset

    kind = detect(path) if type_ == "auto" else type_
    try:
        return kind, open_dataset({"type": kind, "path": str(path), **values})
    except ConfigError as error:
        # A value that may be of several types has a problem with each of them.
        problems = {keys[0] if keys else "type": message for keys, message in reversed(error.problems)}
        lines = [f"--{key.replace('_', '-')}: {message}" for key, message in reversed(problems.items())]
        raise DataError("\n".join(lines)) from error


def _unless(dataset: VideoDataset) -> str:
    """A remark on files whose damage decoding does not show; empty if there are none."""
    from ..data.verify import silent_codecs

    silent = silent_codecs(dataset)
    return f"; of {', '.join(silent)}, altered bytes are seldom or never noticed" if silent else ""


def _described(kind: str, dataset: VideoDataset) -> dict[str, Any]:
    return {
        "type": kind,
        "path": dataset.config.path,
        "videos": len(dataset),
        "frames": sum(dataset.length(video) for video in range(len(dataset))),
        "fps": dataset.fps,
        "frame_rates": sorted({record.fps for record in dataset.records}),
        "sizes": sorted({(record.width, record.height) for record in dataset.records}),
        "classes": dataset.classes,
        "left_out": dict(dataset.left_out),
        "passed_over": list(dataset.passed_over),
        "skipped": [{"name": item.name, "reason": item.reason} for item in dataset.skipped],
        "fingerprint": dataset.fingerprint,
    }


def _speeds(dataset: VideoDataset) -> dict[str, float]:
    """Clips a second: pairs of frames, as the loader gives them to training; and whole, in one process."""
    from ..data.clips import Clips, loader
    from ..registry import registry

    length = dataset.config.clip_length
    pairs = registry("time_samplers").build({"type": "beta_pair", "clip_length": length})
    batches = loader(Clips(dataset, pairs, seed=0), range(BENCH_BATCH), workers=dataset.config.workers)
    next(batches)  # workers have started

    def whole(number: int) -> None:
        video = number % len(dataset)
        start = number * 7919 % (dataset.length(video) - length + 1)
        dataset.read(video, range(start, start + length))

    return {
        "loader_pairs_per_second": BENCH_BATCH * _per_second(lambda _: next(batches)),
        "whole_clips_per_second": _per_second(whole),
    }


def _per_second(work: Any) -> float:
    start, done = time.perf_counter(), 0
    while (elapsed := time.perf_counter() - start) < BENCH_SECONDS:
        work(done)
        done += 1
    return done / elapsed
