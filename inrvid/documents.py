"""JSON that is read back: every kind of file that the library writes and reads again has a typed schema.

pydantic's parser bounds nesting; the schema decides what may be in it. Every error is a `DocumentError`, one line.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from .errors import dotted
from .files import TEXT_LIMIT, read_bytes

Schema = TypeVar("Schema", bound=BaseModel)


class Document(BaseModel):
    """A JSON file with known keys; unknown ones (of newer versions) are ignored. No NaN, no infinity."""

    model_config = ConfigDict(extra="ignore", frozen=True, strict=True, allow_inf_nan=False)


class DocumentError(ValueError):
    """Why a document cannot be used: what is wrong with it, in one line that does not name the file."""


def parse(content: bytes | str, schema: type[Schema]) -> Schema:
    """JSON text as `schema`. Raises DocumentError."""
    content = content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content
    try:
        return schema.model_validate_json(content.removeprefix(b"\xef\xbb\xbf"))
    except ValidationError as error:
        first: Any = error.errors(include_url=False, include_input=False)[0]
        where = f"{dotted(first['loc'])}: " if first["loc"] else ""
        raise DocumentError(f"{where}{first['msg']}") from None


def read(path: Path, schema: type[Schema], limit: int = TEXT_LIMIT) -> Schema:
    """A file as `schema`. Raises DocumentError for whatever is wrong with it, its absence included."""
    try:
        return parse(read_bytes(path, limit), schema)
    except OSError as error:
        raise DocumentError(f"cannot be read: {error.strerror or error}") from None
