"""`inrvid explore MODEL`."""

from __future__ import annotations

from pathlib import Path

import typer


def explore(
    model: str = typer.Argument(help="A model or run folder, or a Hub repository owner/name."),
    host: str = typer.Option("127.0.0.1", help="Address; 0.0.0.0: for all who can reach this machine."),
    port: int = typer.Option(7860, min=0, max=65535, help="Port; 0: a free one."),
    directions: Path = typer.Option(None, metavar="FILE", help="A slider for each of a file of inrvid edit."),
    browser: bool = typer.Option(False, "--browser", help="Open the page in a browser."),
    precision: str = typer.Option(
        None, metavar="fp32|tf32|bf16|fp16", help="Default: the model's own, or fp32 where that is tf32."
    ),
    cpu: bool = typer.Option(False, "--cpu", help="Run on the CPU, even where there is a GPU."),
) -> None:
    """Play with a model on a page of this machine: seeds, time, zoom, interpolation, directions."""
    from ..applications.edit.directions import load_directions
    from ..applications.explore import Explorer
    from ..applications.explore_page import serve
    from ..applications.model import open_model

    generator = open_model(model, precision=precision, cpu=cpu)
    found = {} if directions is None else load_directions(directions, generator)
    explorer = Explorer(generator, {name: direction.vector for name, direction in found.items()})
    serve(explorer, Path(model).name, host=host, port=port, browser=browser, say=typer.echo)
