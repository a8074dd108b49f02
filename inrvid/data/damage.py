"""What a foreign decoder raises, as one kind of error: a file that cannot be used, and why.

Pillow, zipfile and libav raise whatever a damaged file leads them to: zlib.error, struct.error, EOFError, SyntaxError,
RuntimeError, MemoryError of an absurd header … Their calls are wrapped in `decoding`, and nothing else is: errors of
this library keep their tracebacks.
"""

from __future__ import annotations

import errno
from typing import Any

MACHINE = (errno.EMFILE, errno.ENFILE)
"""No file is to blame for these, and every other one would fail as well."""


class UnreadableError(Exception):
    """Why a file cannot be used; the message is the reason alone, one line, without the file's name."""


class decoding:  # noqa: N801 (a context manager; as a generator it would take a tenth of the time to read a clip)
    """Whatever is raised inside is raised as `UnreadableError`, its reason after `prefix`.

    Raises:
        UnreadableError: the file is damaged, or cannot be read.
        OSError: the process may open no more files.
    """

    def __init__(self, prefix: str = ""):
        self._prefix = prefix

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if not isinstance(error, Exception) or isinstance(error, UnreadableError):
            return
        if isinstance(error, OSError) and error.errno in MACHINE:
            return
        raise UnreadableError(self._prefix + reason(error)) from error


def reason(error: Exception) -> str:
    """One line that says what is wrong, for what libraries say in many, or in none."""
    if isinstance(error, MemoryError):
        return "needs more memory than there is"
    text: Any = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return " ".join(str(text).split())[:300]
