"""How far a long command is, on standard error: on a terminal a bar with the time left, else a line now and then."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator

SECONDS = 30.0
"""Between two lines where there is no terminal."""


@contextlib.contextmanager
def shown(what: str, unit: str, quiet: bool = False) -> Iterator[Callable[..., None]]:
    """A function that is called with (units done, of how many) and, by a search, the distance so far.

    Of a search, which may have begun in an earlier process, the last line is told, too.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn())
    said = TextColumn("{task.fields[said]}")
    hidden = quiet or not console.is_terminal
    with Progress(*columns, said, TimeRemainingColumn(), console=console, disable=hidden) as bar:
        task = bar.add_task(what, total=None, said="")
        began = last = time.monotonic()
        before: int | None = None

        def show(done: int, total: int, distance: float | None = None) -> None:
            nonlocal last, before
            if before is None:
                before = 0 if distance is None else done - 1
                if before and not quiet:
                    console.print(f"{what}: resuming after {before} {unit}", markup=False, highlight=False)
            reached = "" if distance is None else f"distance {distance:.4g}"
            bar.update(task, completed=done, total=total, said=reached)
            now = time.monotonic()
            due = now - last >= SECONDS or (done == total and distance is not None)
            if not quiet and not console.is_terminal and due:
                left = _left((now - began) * (total - done) / max(done - before, 1))
                parts = filter(None, (f"{what}: {done} of {total} {unit}", reached, left))
                console.print(", ".join(parts), markup=False, highlight=False, soft_wrap=True)
                last = now

        yield show


def _left(seconds: float) -> str:
    """Nothing at the end."""
    if seconds < 120:
        return f"{seconds:.0f} s left" if seconds else ""
    return f"{seconds / 60:.0f} min left"
