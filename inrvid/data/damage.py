"""One kind of error for whatever a third-party decoder raises: a file cannot be used, and why.

On a damaged file, Pillow, zipfile and libav raise all kinds of errors: zlib.error, struct.error, EOFError, SyntaxError,
RuntimeError, MemoryError from an absurd header … Only their calls are wrapped in `decoding`, so that errors of this
library keep their tracebacks.
"""

from __future__ import annotations

import errno
from typing import Any

MACHINE = (errno.EMFILE, errno.ENFILE)
"""Error numbers for which no file is to blame: every other one would fail as well."""


class UnreadableError(Exception):
    """Why a file cannot be used; the message is the reason alone, one line, without the file's name."""


class decoding:  # noqa: N801 (a context manager; as a generator it would cost a tenth of the time to read a clip)
    """Re-raise whatever the block raises as `UnreadableError`, with `prefix` before its reason.

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
    """What is wrong, in one line, whether the library's message has many lines or none."""
    if isinstance(error, MemoryError):
        return "needs more memory than there is"
    text: Any = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return " ".join(str(text).split())[:300]
