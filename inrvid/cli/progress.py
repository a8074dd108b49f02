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
        began = last = time.monotonic()
        before: int | None = None

        def step(done: int, total: int, distance: float) -> None:
            nonlocal last, before
            before = done - 1 if before is None else before  # of a search that goes on
            bar.update(task, completed=done, total=total, said=f"distance {distance:.4g}")
            now = time.monotonic()
            if not quiet and not console.is_terminal and (done == total or now - last >= SECONDS):
                left = (now - began) * (total - done) / (done - before) / 60
                line = f"{what}: {done} of {total} steps, distance {distance:.4g}, {left:.0f} min left"
                console.print(line, markup=False, highlight=False, soft_wrap=True)
                last = now

        yield step
