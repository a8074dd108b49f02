"""The checks of a component, as a class of tests or run one after another without pytest."""

from __future__ import annotations

import importlib
import unittest
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from ..errors import InrvidError
from ..registry import registry
from .checks import Checks

PREFIX = "test_"
LIBRARY = Path(__file__).parents[1]


class Result(NamedTuple):
    """The result of one check."""

    check: str
    """What was checked, in words."""
    outcome: str
    """'passed', 'failed' or 'skipped'."""
    reason: str = ""
    """Why it has not passed, in a line; empty if it has."""


def conformance(kind: str, name: str, small: Mapping[str, Any] | None = None) -> type[Checks]:
    """A class whose methods `test_…` check the component of that name; to be derived from in a test file.

    Args:
        kind: as in entry points: 'motions'.
        small: keys of its configuration that make it cheap to build and call.

    Raises:
        InrvidError: there is no such kind.
    """
    registry(kind)
    module = importlib.import_module(f".{kind}", __package__)
    base: type[Checks] = module.KindChecks
    return type(base.__name__, (base,), {"kind": kind, "name": name, "small": small or {}, "__test__": True})


def names_of(checks: type[Checks]) -> list[str]:
    """Names of its checks, those of all kinds first."""
    ordered = [name for base in reversed(checks.__mro__) for name in vars(base) if name.startswith(PREFIX)]
    return list(dict.fromkeys(ordered))


def is_slow(checks: type[Checks], name: str) -> bool:
    """Whether a check starts processes of its own."""
    return getattr(getattr(checks, name), "slow", False)


def results(kind: str, name: str, small: Mapping[str, Any] | None = None, *, quick: bool = False) -> Iterator[Result]:
    """Run the checks of a component one after another; `quick`: without those that start processes."""
    checks = conformance(kind, name, small)
    try:
        registry(kind).config_class(name)
    except InrvidError as error:
        yield Result("imports", "failed", _line(error))
        return
    given = {*(small or {}), *getattr(registry(kind).component(name), "test_settings", {})}
    fields = registry(kind).config_class(name).model_fields.items()
    if missing := [key for key, field in fields if field.is_required() and key not in {*given, "type"}]:
        advice = "keys need defaults, or the class says what does for tests: test_settings = {…}"
        yield Result("small configuration", "failed", f"{', '.join(missing)}: {advice}")
        return
    for method in names_of(checks):
        if not (quick and is_slow(checks, method)):
            yield run_check(checks, method)


def run_check(checks: type[Checks], method: str) -> Result:
    """Run one check."""
    what = method.removeprefix(PREFIX).replace("_", " ")
    try:
        getattr(checks(), method)()
    except unittest.SkipTest as reason:
        return Result(what, "skipped", str(reason))
    except (AssertionError, InrvidError) as error:
        return Result(what, "failed", _line(error))
    except Exception as error:
        return Result(what, "failed", f"{type(error).__name__}: {_line(error)}{_where(error)}")
    return Result(what, "passed")


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())[:500]


def _where(error: BaseException) -> str:
    """The innermost place that is neither the library's nor an installed package's: where the author has to look."""
    place, trace = "", error.__traceback__
    while trace is not None:
        file = Path(trace.tb_frame.f_code.co_filename)
        if not file.is_relative_to(LIBRARY) and not {"site-packages", "dist-packages"} & set(file.parts):
            place = f"  ({file}:{trace.tb_lineno})"
        trace = trace.tb_next
    return place
