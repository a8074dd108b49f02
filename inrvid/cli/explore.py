"""`inrvid explore MODEL`."""

from __future__ import annotations

from pathlib import Path

import typer


def explore(
    model: str = typer.Argument(help="A model or run folder, or a Hub repository owner/name."),
    host: str = typer.Option("127.0.0.1", help="Address; 0.0.0.0: for all who can reach this machine."),
    port: int = typer.Option(7860, min=0, max=65535, help="Port; 0: a free one."),
    browser: bool = typer.Option(False, "--browser", help="Open the page in a browser."),
    precision: str = typer.Option(
        None, metavar="fp32|tf32|bf16|fp16", help="Default: as it was trained, tf32 as fp32."
    ),
    cpu: bool = typer.Option(False, "--cpu", help="Do not use an accelerator."),
) -> None:
    """Play with a model on a page of this machine: seeds, time, zoom, interpolation, directions."""
    from ..applications.explore import Explorer
    from ..applications.explore_page import serve
    from ..applications.model import open_model

    explorer = Explorer(open_model(model, precision=precision, cpu=cpu))
    serve(explorer, Path(model).name, host=host, port=port, browser=browser, say=typer.echo)
