"""`inrvid convert SNAPSHOT OUT`, `inrvid convert MODEL OUT --to export|torchscript`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from ..models.convert import Converted

_ACCEPT = typer.Option(
    [],
    "--accept",
    metavar="NAME,…",
    help="Ignore these settings, which no component has: you know that they change nothing.",
)
_TO = typer.Option(None, "--to", metavar="export|torchscript", help="Write a program that runs without inrvid.")
_SET = typer.Option([], "--set", metavar="KEY=VALUE", help="What the file does not say: clip_length=128.")


def convert(
    source: Path = typer.Argument(
        help="A checkpoint of DIGAN, StyleGAN-V, INR-GAN or StyleGAN2-ADA: .pkl, .pt, .safetensors; with --to, a model "
        "or run folder, or a Hub repository owner/name."
    ),
    out: Path = typer.Argument(help="The model's folder, new or empty; with --to, a file: NAME.pt2 or NAME.pt."),
    to: str = _TO,
    truncation: float = typer.Option(None, help="With --to: ψ < 1, less variety, more quality; fixed in the program."),
    accept: list[str] = _ACCEPT,
    given: list[str] = _SET,
    as_json: bool = typer.Option(False, "--json", help="Print JSON instead of text."),
) -> None:
    """Convert a checkpoint of a paper's release into a model; or, with --to, a model into a program without inrvid.

    Nothing that is in a checkpoint is run. What a program is: docs/export.md.
    """
    if to is not None:
        _refuse("is for checkpoints: leave it out with --to", accept=accept, set=given, json=as_json)
        typer.echo(_to_program(source, out, to, 1.0 if truncation is None else truncation))
        return
    _refuse("needs --to export or --to torchscript", truncation=truncation is not None)
    _check_file(source)
    from ..models import convert as conversion
    from ..models.official.describing import Choices
    from ..text import printable

    accepted = tuple(name.strip() for names in accept for name in names.split(",") if name.strip())
    converted = conversion.convert(source, out, Choices(accepted, dict(map(_assigned, given))))
    typer.echo(conversion.as_json(converted, out) if as_json else printable("\n".join(_lines(converted, out))))


def _to_program(source: Path, out: Path, to: str, truncation: float) -> Path:
    from ..models.export import to_program

    return to_program(source, out, to, truncation)


def _check_file(source: Path) -> None:
    from ..errors import InrvidError

    if source.is_dir():
        raise InrvidError(
            f"{source}: a folder, and checkpoints are files; a model becomes a program with --to export or "
            "--to torchscript"
        )


def _refuse(what_for: str, **options: object) -> None:
    from ..errors import InrvidError

    for name, given in options.items():
        if given:
            raise InrvidError(f"--{name}: {what_for}")


def _assigned(text: str) -> tuple[str, Any]:
    from ..errors import InrvidError

    key, equals, value = text.partition("=")
    if not equals or not key:
        raise InrvidError(f"--set {text}: expected KEY=VALUE")
    try:
        return key, json.loads(value)
    except (ValueError, RecursionError):
        return key, value


def _lines(converted: Converted, out: Path) -> list[str]:
    labels = f"{converted.classes} classes" if converted.classes else "unconditional"
    size = f"{converted.resolution}x{converted.resolution}"
    lines = [f"{converted.layout}: {converted.generator}, {size}, {labels}, from {converted.network}"]
    lines += [f"  {out / place}: {count:,} parameters" for place, count in converted.parameters.items()]
    if converted.assumed:
        values = ", ".join(f"{key}={json.dumps(value)}" for key, value in converted.assumed.items())
        lines.append(f"not in the file, taken as published (or as --set says): {values}")
    if converted.accepted:
        lines.append(f"passed over, as asked for: {', '.join(converted.accepted)}")
    if converted.left_out:
        more = f" and {len(converted.left_out) - 10} more" if len(converted.left_out) > 10 else ""
        lines.append(f"left out, no network: {', '.join(converted.left_out[:10])}{more}")
    return [*lines, f"next: inrvid generate {out} -o video.mp4"]
