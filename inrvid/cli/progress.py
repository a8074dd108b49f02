"""How far a long command is, on standard error: on a terminal a bar with the time left, else a line now and then."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator

SECONDS = 30.0
"""Between two lines where there is no terminal."""


@contextlib.contextmanager
def steps_shown(what: str, quiet: bool = False) -> Iterator[Callable[[int, int, float], None]]:
    """A function that is called after each step with (steps done, of how many, the distance so far)."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[said]}"))
    with Progress(*columns, TimeRemainingColumn(), console=console, disable=quiet or not console.is_terminal) as bar:
        task = bar.add_task("", said="")
        last = time.monotonic()

        def step(done: int, total: int, distance: float) -> None:
            nonlocal last
            bar.update(task, completed=done, total=total, said=f"distance {distance:.4g}")
            now = time.monotonic()
            if not quiet and not console.is_terminal and (done == total or now - last >= SECONDS):
                console.print(f"{what}: {done} of {total} steps, distance {distance:.4g}", highlight=False)
                last = now

        yield step
