"""Options of applications: typed, checked once, the same for the command line and for Python.

A request consists of parts (`When`, `Where`, `Who`) and options of its own.
"""

from __future__ import annotations

import re
from typing import Any

from typing_extensions import Self

from ..config import StrictModel, validate
from ..errors import ConfigError, InrvidError


class Options(StrictModel):
    """A request, or a part of one; the fields are the options of a command."""

    @classmethod
    def of(cls, **options: Any) -> Self:
        """Make a request. Raises InrvidError that names the option with a value of another type or out of range."""
        try:
            return validate(cls, options)
        except ConfigError as error:
            raise InrvidError("\n".join(_told(path, what) for path, what in error.problems)) from None


def _told(path: tuple[str, ...], what: str) -> str:
    return f"--{path[-1].replace('_', '-')}: {what}" if path and path[-1] else what


def sides(text: str) -> tuple[int, int] | None:
    """'3' or '3x4' (rows × columns, height × width) as two numbers; None for anything else."""
    match = re.fullmatch(r"([0-9]{1,9})(?:[x×]([0-9]{1,9}))?", text.strip().lower())
    return (int(match[1]), int(match[2] or match[1])) if match else None


def at_most_one(**given: Any) -> None:
    """Raises ValueError if more than one of the options is given."""
    names = [f"--{name.replace('_', '-')}" for name, value in given.items() if value is not None and value is not False]
    if len(names) > 1:
        raise ValueError(f"{' and '.join(names)}: give one of them")
