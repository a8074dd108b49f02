"""`python -m benchmarks`: how fast this machine is, and how fast the library is on it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from inrvid.cli import run

if TYPE_CHECKING:
    from .results import Case, Result
    from .tables import Table

NBSP = "\N{NO-BREAK SPACE}"
"""In figures: headings are wrapped, figures are not."""


def bench(
    groups: list[str] = typer.Argument(
        None, metavar="GROUP", help="kernels, generation, training, evaluation, data, all (default)."
    ),
    recipes: list[str] = typer.Option(
        [], "--recipe", metavar="NAME", help="A recipe's name or path, instead of the published ones."
    ),
    precisions: list[str] = typer.Option(
        [], "--precision", help="fp32, tf32, bf16, fp16; default: what the device has."
    ),
    quick: bool = typer.Option(False, "--quick", help="Small sizes, within a minute: a look, not a measurement."),
    full: bool = typer.Option(False, "--full", help="More rounds, 1024×1024, and all precisions of training on a CPU."),
    cpu: bool = typer.Option(False, "--cpu", help="Use the CPU even if there is a GPU."),
    rounds: int | None = typer.Option(None, "--rounds", min=1, help="Rounds of every case; default: by time."),
    batch: int | None = typer.Option(None, "--batch", min=1, help="Clips of a training step."),
    output: Path | None = typer.Option(None, "--output", "-o", help="Write the result as JSON."),
    markdown: Path | None = typer.Option(
        None, "--markdown", help="Write its tables; into a file's marks, if it has any."
    ),
    source: Path | None = typer.Option(None, "--from", metavar="FILE.json", help="Show this result; measure nothing."),
    compare: tuple[Path, Path] | None = typer.Option(
        None, "--compare", metavar="A.json B.json", help="Compare two results; measure nothing."
    ),
    as_json: bool = typer.Option(False, "--json", help="Print JSON instead of text."),
) -> None:
    """Measure kernels, generation, training, evaluation and data loading beside what the device can do at best."""
    from inrvid.errors import InrvidError

    if compare and (source or output or markdown or as_json):
        raise InrvidError("--compare: shows a table; give no other option")
    if compare:
        from .compare import compare as compared

        _show([compared(*compare)])
        return
    if source and output:
        raise InrvidError("--output: --from measures nothing; give --markdown or --json")
    for path in (output, markdown):
        _check_writable(path)
    if source:
        from .results import load

        result = load(source)
    else:
        _check_marks(markdown, cpu)
        result = _measured(
            {
                "groups": groups or [],
                "recipes": recipes,
                "precisions": precisions,
                "quick": quick,
                "full": full,
                "cpu": cpu,
                "rounds": rounds,
                "batch": batch,
            },
            output,
        )
    _deliver(result, markdown, as_json)


def _measured(options: dict[str, Any], output: Path | None) -> Result:
    """The output is written after every case, so that a run that is cut short leaves what it has found."""
    from .plan import Options
    from .results import save
    from .run import bench as measure

    with _Progress() as progress:
        for result in measure(Options(**options)):
            progress.show(result.cases[-1])
            if output:
                save(result, output)
    return result


def _deliver(result: Result, markdown: Path | None, as_json: bool) -> None:
    from .markdown import write_markdown
    from .results import to_json
    from .tables import failures, heading, tables

    if markdown:
        write_markdown(result, markdown)
    if as_json:
        typer.echo(to_json(result), nl=False)
    else:
        typer.echo(heading(result))
        _show(tables(result))
    failed = failures(result.cases)
    for line in failed:
        typer.echo(f"failed: {line}", err=True)
    if failed:
        raise typer.Exit(1)


def _show(tables: list[Table]) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table as RichTable

    console = Console()
    narrow = console.width < 100
    for table in tables:
        first, *others = map(escape, table.columns)
        if table.figures and narrow:
            others = [name.replace(" ", "\n") for name in others]
        shown = RichTable(first, *others, title=escape(table.title), title_justify="left", box=None, pad_edge=False)
        shown.padding = (0, 1 if narrow else 2, 0, 0)
        shown.columns[0].min_width = 24
        for column in shown.columns[1:] if table.figures else []:
            column.justify = "right"
        for row in table.rows:
            first, *others = map(escape, row)
            shown.add_row(first, *((cell.replace(" ", NBSP) for cell in others) if table.figures else others))
        console.print()
        console.print(shown)
        if table.note:
            console.print(escape(table.note), style="dim", highlight=False)


class _Progress:
    """The latest case on stderr: in place on a terminal, a line each elsewhere."""

    def __enter__(self) -> _Progress:
        from rich.console import Console

        self._console = Console(stderr=True)
        self._status = self._console.status("starting")
        if self._console.is_terminal:
            self._status.start()
        return self

    def show(self, case: Case) -> None:
        from .text import seconds

        line = f"{case.id}  {seconds(case.seconds.median) if case.seconds else case.error}"
        if self._console.is_terminal:
            self._status.update(f"measured {line}", spinner_style="dim")
        else:
            typer.echo(line, err=True)

    def __exit__(self, *_: object) -> None:
        self._status.stop()


def _check_writable(path: Path | None) -> None:
    """Before minutes of measuring, rather than behind them."""
    import os

    from inrvid.errors import InrvidError

    if path is None:
        return
    parent = next(folder for folder in path.absolute().parents if folder.exists())
    if path.is_dir() or not (parent.is_dir() and os.access(parent, os.W_OK)):
        raise InrvidError(f"{path}: cannot be written: expected the name of a file in a folder that one may write to")


def _check_marks(path: Path | None, cpu: bool) -> None:
    """Before minutes of measuring, too: whether there is a place for this device's tables."""
    import torch

    from .markdown import place_of

    if path:
        place_of("cuda" if torch.cuda.is_available() and not cpu else "cpu", path)


app = typer.Typer(pretty_exceptions_enable=False, context_settings={"help_option_names": ["-h", "--help"]})
app.command()(bench)


def main() -> None:
    run(app)


if __name__ == "__main__":
    main()
