"""While a network is recorded as a program that others run (`models.export`), of PyTorch's own operations alone.

A program serves any batch, any times and any values: what looks at them to choose the faster of two ways, or to refuse
them, asks `recording` first.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from .dispatch import using
from .operation import written_out

_recording = False


def recording() -> bool:
    """Whether a program is recorded now: one way for all sizes and values."""
    return _recording


@contextlib.contextmanager
def as_program() -> Iterator[None]:
    """Inside, networks run as they are recorded, and each operation is its definition. It holds for the process."""
    global _recording
    before, _recording = _recording, True
    try:
        with written_out(), using("definition"):
            yield
    finally:
        _recording = before
