"""The command line. Each command's module imports what is heavy inside its function, so that --help is instant.

Exit codes: 0 success; 2 what the user can fix (one message, no traceback; `--debug` shows it); 129, 130 and 143 a
training that was interrupted by SIGHUP, SIGINT or SIGTERM and has saved its state; 130 whatever else was interrupted.
"""

from __future__ import annotations

import shutil
import sys
import warnings
from collections.abc import Callable

import typer

from ..errors import InrvidError
from ..text import printable
from . import (
    analyze,
    convert,
    data,
    detectors,
    doctor,
    edit,
    evaluate,
    explore,
    generate,
    hub,
    interpolate,
    plugins,
    predict,
    project,
    recipe,
    runs,
    train,
)
from .commands import Commands
from .output import show_anything

app = typer.Typer(
    name="inrvid",
    cls=Commands,
    help="Video generators based on implicit neural representations: build, train, measure, share.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(train.train)
app.command()(generate.generate)
app.command()(explore.explore)
app.add_typer(edit.app, name="edit", help="Change how a video looks: find directions of styles, and apply them.")
app.command()(analyze.analyze)
app.command()(interpolate.interpolate)
app.command()(project.project)
app.command()(predict.predict)
app.command()(evaluate.evaluate)
app.command()(convert.convert)
app.add_typer(recipe.app, name="recipe", help="List, show and check recipes.")
app.add_typer(plugins.app, name="plugins", help="List installed components; begin and check packages of your own.")
app.add_typer(data.app, name="data", help="Look at, check and convert videos.")
app.add_typer(
    detectors.app, name="detectors", help="Networks that scores are computed with: list them, fetch their weights."
)
app.add_typer(hub.app, name="hub", help="Publish models on the Hub, and get them from there.")
app.command()(runs.runs)
app.command()(doctor.doctor)


def _version(show: bool) -> None:
    if show:
        from .. import __version__

        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def _options(
    version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Show the version."),
    debug: bool = typer.Option(False, "--debug", help="Show the traceback of an error (anywhere on the line)."),
) -> None:
    """Options before the command."""


def main() -> None:
    """Entry point of the console script, and of `python -m inrvid`."""
    run(lambda: app(prog_name="inrvid"))


def run(command: Callable[[], None]) -> None:
    """A command line whose errors are told as the exit codes above say."""
    debug = "--debug" in sys.argv
    sys.argv = [argument for argument in sys.argv if argument != "--debug"]
    show_anything()
    warnings.formatwarning = lambda message, *rest, **more: f"warning: {printable(str(message))}\n"
    try:
        command()
    except (InrvidError, OSError, UnicodeEncodeError, ImportError, MemoryError, RuntimeError) as error:
        message = None if debug else _explained(error)
        if message is None:
            raise
        print(printable(message), file=sys.stderr)
        sys.exit(2)


def _explained(error: Exception) -> str | None:
    """What to tell the user; None: a fault of the program, which its traceback explains best."""
    if isinstance(error, InrvidError):
        return str(error)
    if isinstance(error, shutil.Error) and error.args and isinstance(error.args[0], list):  # of a folder: all of it
        _, target, why = error.args[0][0]
        return f"{target}: {why}"
    if isinstance(error, OSError):
        is_of_the_system = error.filename is not None or error.errno is not None
        return f"{error.filename or 'error'}: {error.strerror or error}" if is_of_the_system else None
    if isinstance(error, UnicodeEncodeError):  # Python's way to say that a name cannot be one of a file
        if sys.getfilesystemencoding() == "utf-8":
            return None
        return f"{error.object!r} cannot be the name of a file in this locale ({error.encoding}): set LC_ALL=C.UTF-8"
    if isinstance(error, ImportError):
        if str(error.name).startswith("inrvid"):
            return None
        reason = " ".join(str(error).split())
        return f"a package is missing or broken: {reason}\n  inrvid doctor says which, and how to fix it"
    if _is_out_of_memory(error):
        return (
            f"out of memory: {' '.join(str(error).split())[:200]}\n  make something smaller: the batch "
            "(train.batch_size, train.micro_batch), the size, or the length"
        )
    return None


def _is_out_of_memory(error: BaseException) -> bool:
    """PyTorch's own error is of a GPU; of a CPU it is a RuntimeError of many texts."""
    text = str(error).lower()
    return isinstance(error, MemoryError) or any(
        told in text for told in ("out of memory", "can't allocate memory", "bad_alloc")
    )
