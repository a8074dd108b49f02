"""Whether a network is being recorded as a program that others run (`models.export`), of PyTorch's own operations.

A program serves any batch, any times and any values: code that looks at them to choose the faster of two ways, or to
refuse them, asks `is_recording` first.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from .dispatch import use_backend
from .operation import written_out

_recording = False


def is_recording() -> bool:
    """Whether a program is being recorded now, which must take one way for all sizes and values."""
    return _recording


@contextlib.contextmanager
def as_program() -> Iterator[None]:
    """Within this context, networks run as if recorded, and operations are their definitions, in the whole process."""
    global _recording
    before, _recording = _recording, True
    try:
        with written_out(), use_backend("definition"):
            yield
    finally:
        _recording = before
