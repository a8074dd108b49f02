"""Standard output and error as the commands need them: of any locale, and of readers that go away."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import sys

from ..files import WINDOWS

GONE = {errno.EPIPE, errno.ENOSPC, errno.EIO, errno.EBADF}
"""Errors of writing that mean: nobody reads this any more (a closed pipe, a full disk, a hung-up terminal)."""


def show_anything() -> None:
    """What the terminal's encoding cannot show is replaced, not raised; what is shown to nobody goes nowhere."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by whoever started the process
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123, SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def outlive_readers() -> None:
    """Let the process survive when nobody reads its output any more: a training is worth more than its lines."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        try:
            number = stream.fileno()
        except (OSError, ValueError, AttributeError):  # not a file: a test's, a notebook's
            continue
        if not isinstance(stream, io.TextIOWrapper) or (WINDOWS and stream.isatty()):
            continue  # a Windows console takes characters, not bytes
        with contextlib.suppress(OSError):
            stream.flush()
        lasting = io.BufferedWriter(_Lasting(number, "w", closefd=False))
        setattr(sys, name, io.TextIOWrapper(lasting, stream.encoding, "replace", line_buffering=True))


class _Lasting(io.FileIO):
    """A file that takes what can no longer be written without complaint; standard error is told once."""

    _lost = False

    def write(self, data: object) -> int:
        view = memoryview(data)  # type: ignore[arg-type]
        try:
            return super().write(view) if not self._lost else view.nbytes
        except OSError as error:
            if error.errno not in GONE:
                raise
            self._lost = True
            if self.fileno() == 1:
                print(
                    f"inrvid: standard output is lost ({error.strerror}); training continues, see metrics.jsonl in its "
                    "folder",
                    file=sys.stderr,
                )
            return view.nbytes
