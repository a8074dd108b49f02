"""Options of a command as the typed request that its function takes."""

from __future__ import annotations

from typing import TypeVar

from ..config import StrictModel, validate
from ..errors import ConfigError, InrvidError

Request = TypeVar("Request", bound=StrictModel)


def validated(request: type[Request], **options: object) -> Request:
    """Raises InrvidError that names the option with a value of another type or out of range."""
    try:
        return validate(request, options)
    except ConfigError as error:
        lines = (f"--{'.'.join(path).replace('_', '-')}: {what}" for path, what in error.problems)
        raise InrvidError("\n".join(lines)) from None
