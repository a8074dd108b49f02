"""Typed configuration of components.

A component's configuration is a pydantic model derived from `PartConfig`: keyword-only, frozen, unknown keys
refused, every field documented. A field that holds *another* component is annotated with
`Annotated[PartConfig, PartOf("motions")]`: its value is a mapping `{"type": name, ...}` that the registry of
that kind validates, so that a recipe is checked to its leaves, and errors carry the path of the key.

Numbers are bounded: no field accepts a value that no computer could work with. `Count`, `Positive` and the like are the
types of numbers without narrower bounds of their own.

This module imports no torch: commands that touch no component answer at once.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    Strict,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)
from pydantic_core import ErrorDetails

from .errors import ConfigError, did_you_mean
from .text import MOST_BYTES, UNFIT, is_file_name

MOST = 2**31 - 1
LARGEST = 1e30

Count = Annotated[int, Field(ge=1, le=MOST)]
Natural = Annotated[int, Field(ge=0, le=MOST)]
"""0 … 2³¹ − 1."""


def _ordinary(value: float) -> float:
    if value and not 1 / LARGEST <= value <= LARGEST:
        raise ValueError(f"should be from {1 / LARGEST:g} to {LARGEST:g}")
    return value


Positive = Annotated[float, Field(gt=0), AfterValidator(_ordinary)]
NonNegative = Annotated[float, Field(ge=0), AfterValidator(_ordinary)]
Layers = Annotated[int, Field(ge=1, le=100)]
"""Number of consecutive layers of a network."""
LOWEST_FPS, HIGHEST_FPS = 0.01, 10_000
Fps = Annotated[float, Field(ge=LOWEST_FPS, le=HIGHEST_FPS)]
"""Frames per second."""
Seed = Annotated[int, Field(ge=0, lt=2**63)]


Side = Annotated[int, Field(ge=1, le=16384)]
"""Pixels."""
Sides = Annotated[tuple[Side, Side], Strict(False)]
"""(height, width) in pixels."""


def _file_name(value: str) -> str:
    if len(value.encode()) > MOST_BYTES:
        raise ValueError(f"should be a name of at most {MOST_BYTES} bytes")
    if not is_file_name(value):
        raise ValueError(
            f"should be the name of a file or folder on any system: none of {' '.join(UNFIT)}, no control characters, "
            "no space at an end, no dot at the last, nor a device's name (con, nul)"
        )
    return value


def _path(value: Any, handler: ValidatorFunctionWrapHandler) -> str:
    # pydantic accepts only valid text as a string, but file names may hold other bytes, as lone surrogates.
    text = handler(os.fsencode(value).decode("utf-8", "replace") if isinstance(value, str) else value)
    if "\0" in text:
        raise ValueError("should be a path: it holds a NUL")
    return value


FileName = Annotated[str, AfterValidator(_file_name)]
"""One name that becomes part of a path."""
PathText = Annotated[str, Field(max_length=4096), WrapValidator(_path)]
"""A path that the user gives."""


class StrictModel(BaseModel):
    """A mapping with known, typed keys; anything else is an error that names the key."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, validate_default=True, allow_inf_nan=False)


class PartConfig(StrictModel):
    """Configuration of one registered component; `type` is its name in the registry."""

    type: str = Field("", description="name of the component (inrvid plugins list)")


def validate(model: type[StrictModel], data: Mapping[str, Any]) -> Any:
    """`data` as an instance of `model`.

    Raises:
        ConfigError: with one (path, message) for each thing that is wrong.
    """
    if not isinstance(data, Mapping):
        raise ConfigError([((), f"expected a mapping with a 'type', got {describe(data)}")])
    try:
        return model.model_validate(dict(data))
    except ValidationError as error:
        raise ConfigError(problems_of(error, model)) from None


Problem = tuple[tuple[str, ...], str]
"""(keys from the mapping's top to what is wrong, message)."""


def problems_of(error: ValidationError, model: type[BaseModel]) -> list[Problem]:
    """What pydantic found wrong with a mapping for `model`, in this library's words: a problem for each key.

    pydantic reports a union once for each of its branches, and names the branch in the path; here branches are left out
    of paths, and the problems of one value are joined by "or".
    """
    problems: list[Problem] = []
    for item in error.errors(include_url=False):
        path = _path_of(item)
        if item["type"] == "nested":
            problems += [((*path, *inner), message) for inner, message in item["ctx"]["error"].problems]
        elif item["type"] == "extra_forbidden":
            existing = _fields_at(model, path[:-1])
            hint = did_you_mean(path[-1], existing)
            problems.append((path, f"unknown key.{hint}\n  available: {', '.join(existing)}"))
        elif item["type"] == "missing":
            problems.append((path, "this key is required"))
        else:
            _add_wrong_value(problems, path, item)
    return [(path, message) for path, message in problems if message != NO_NUMBER or not _says_more(problems, path)]


def _path_of(item: ErrorDetails) -> tuple[str, ...]:
    """The keys down to what is wrong, without the names of a union's branches."""
    *above, last = map(str, item["loc"] or ("",))
    is_written = item["type"] in ("extra_forbidden", "missing")  # the last is then a key, whatever it looks like
    is_key = is_written or (last != "" and not _is_branch(last))  # '' stands for the whole mapping
    return tuple(key for key in above if not _is_branch(key)) + ((last,) if is_key else ())


def _add_wrong_value(problems: list[Problem], path: tuple[str, ...], item: ErrorDetails) -> None:
    """Add "should be …, got …", joined to the previous problem if that is of another branch of the same union."""
    message = item["msg"].removeprefix("Value error, ").removeprefix("Input ")
    message = re.sub("a valid dictionary or instance of .*", "a mapping", message)
    got = "" if isinstance(item["input"], Mapping) else f", got {describe(item['input'])}"
    if got and problems and problems[-1][0] == path and problems[-1][1].endswith(got):
        before = problems.pop()[1].removesuffix(got)
        message = f"{before}, or {message.removeprefix('should be ')}"
    problems.append((path, message + got))


NO_NUMBER = "should be a valid number"
"""Reported for a mapping, which may be meant for another branch of a union."""


def _says_more(problems: list[tuple[tuple[str, ...], str]], path: tuple[str, ...]) -> bool:
    return any(other[: len(path)] == path and other != path for other, _ in problems)


_BRANCH = re.compile(r"(constrained-)?(int|float|str|bool)|(literal|tuple|list|dict|nullable)\[.*|function-.*")
"""What pydantic adds to a path for each branch of a union; for a model, it adds the name."""


def _is_branch(key: str) -> bool:
    return _BRANCH.fullmatch(key) is not None or key in {model.__name__ for model in _below(StrictModel)}


def _below(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    for inner in model.__subclasses__():
        yield inner
        yield from _below(inner)


def describe(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{type(value).__name__} {text[:57]}..."


def _fields_at(model: type[BaseModel], path: tuple[str, ...]) -> list[str]:
    for key in path:
        field = model.model_fields.get(key)
        annotation = field.annotation if field else None
        choices = (annotation, *get_args(annotation))  # itself, or what is optional
        inner = next((c for c in choices if isinstance(c, type) and issubclass(c, BaseModel)), None)
        if inner is None:
            break
        model = inner
    return list(model.model_fields)


def inline_refs(schema: dict[str, Any]) -> dict[str, Any]:
    """A JSON Schema without `$defs`: each reference replaced by what it points to."""
    defs = schema.pop("$defs", {})

    def walk(node: Any) -> Any:
        if isinstance(node, dict):
            if "$ref" in node:
                name = node["$ref"].rsplit("/", 1)[-1]
                rest = {k: v for k, v in node.items() if k != "$ref"}
                return {**walk(defs[name]), **rest}
            return {key: walk(value) for key, value in node.items()}
        return [walk(item) for item in node] if isinstance(node, list) else node

    return walk(schema)


LARGEST_SIDE = 16384
"""Pixels."""


def power_of_two(value: int) -> int:
    if not 4 <= value <= LARGEST_SIDE or value & (value - 1):
        raise ValueError(f"should be a power of two, from 4 to {LARGEST_SIDE}")
    return value


PowerOfTwo = Annotated[int, AfterValidator(power_of_two)]
"""A side that is a power of two, from 4 on."""
