"""How many frames are written, on standard error: on a terminal a bar with the time left, else a line now and then."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator

SECONDS = 30.0
"""Between two lines where there is no terminal."""


@contextlib.contextmanager
def frames_shown(what: str) -> Iterator[Callable[[int, int], None]]:
    """A function that is called with (frames done, of how many)."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task(what, total=None)
        began = last = time.monotonic()

        def show(done: int, total: int) -> None:
            nonlocal last
            bar.update(task, completed=done, total=total)
            now = time.monotonic()
            if not console.is_terminal and now - last >= SECONDS:
                left = (now - began) * (total - done) / done
                line = f"{what}: {done} of {total} frames, {left / 60:.0f} min left"
                console.print(line, markup=False, highlight=False, soft_wrap=True)
                last = now

        yield show
