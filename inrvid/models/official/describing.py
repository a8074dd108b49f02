"""A stored network → the release's configuration of it, from the sizes of its weights, its settings and, where neither
says anything, published values."""

from __future__ import annotations

import fnmatch
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from ...weights import WeightsError
from ..snapshots.networks import Stored
from ..snapshots.records import shown
from ..snapshots.storage import tensor_of
from .layout import Config, Needs, Part, Says, Setting, constant, flat, meaning

WIDTHS = ("channel_base", "channel_max")
"""The weights tell one pair of these that fits, settings may tell another: building the network shows if that fits."""

TOLERANCE = 1e-5
"""Relative tolerance for constants: releases compute them in float32."""
LARGEST = 1 << 16
"""Numbers in a constant, at most."""


@dataclass(frozen=True)
class Choices:
    """What the user decides, where a file leaves something to decide."""

    accepted: tuple[str, ...] = ()
    """Names, and patterns, of settings and constants to be ignored, though no component expresses them."""
    given: Mapping[str, Any] = field(default_factory=dict)
    """Values for what the file does not say, by the keys of the release's configuration."""

    def accepts(self, path: str) -> bool:
        return self.names(path) or any(fnmatch.fnmatchcase(path, pattern) for pattern in self.accepted)

    def names(self, path: str) -> bool:
        """Whether it is accepted by its own name, not by a pattern."""
        return path in self.accepted or path.rpartition(".")[2] in self.accepted


@dataclass(frozen=True)
class Described:
    config: Config
    """The release's configuration."""
    assumed: Config
    """The values in `config` that are nowhere in the file."""
    accepted: tuple[str, ...]
    """Settings and constants that were ignored."""


def described(stored: Stored, part: Part, choices: Choices, stated: Mapping[str, Any] | None = None) -> Described:
    """The release's configuration of a network.

    Args:
        stated: the release's configuration, if the file has it as such.

    Raises:
        WeightsError: weights that are not this network's, or settings that no component expresses; the message names
            them.
    """
    measured = part.measured({name: value.shape for name, value in stored.weights.items()})
    reading = _Reading(choices)
    reading.read(flat(stored.settings), part.settings, complete=True)
    reading.read(stored.attributes.items(), part.attributes, complete=False)
    reading.refuse()
    said = {**(stated or {}), **reading.said}
    for key, value in said.items():
        own = measured.get(key, value)
        if own != value and key not in WIDTHS and not isinstance(value, Mapping):
            raise WeightsError(f"its setting {key} is {shown(value)}, its weights are those of {shown(own)}")
    known = {**measured, **said}
    for key, value in choices.given.items():
        if known.get(key, value) != value:
            raise WeightsError(f"{key} is {shown(known[key])} in the file, {shown(value)} was asked for")
    assumed = {key: choices.given.get(key, value) for key, value in part.assumed.items() if key not in known}
    config = {**assumed, **known}
    return Described(config, assumed, (*reading.passed, *_constants(stored, part, config, choices)))


def _constants(stored: Stored, part: Part, config: Config, choices: Choices) -> Iterator[str]:
    """The constants that are ignored. Raises WeightsError if another one does not have the value that it always has."""
    for name, value in stored.weights.items():
        known = constant(name, part)
        if known is None or known.value is None:
            continue
        if math.prod(value.shape) <= LARGEST and _agrees(tensor_of(value).double(), known.value, config):
            continue
        if not choices.accepts(name):
            raise WeightsError(
                f"its constant {name} is not {known.what}\n  if that changes nothing in what it computes: --accept "
                f"{name.rpartition('.')[2]}"
            )
        yield name


def _agrees(actual: Tensor, value: Callable[..., Tensor], config: Config) -> bool:
    expected = value(config, tuple(actual.shape)).double()
    return actual.shape == expected.shape and torch.allclose(actual, expected, TOLERANCE, 1e-7)


class _Reading:
    """Reads settings one by one, and collects those that nothing expresses."""

    def __init__(self, choices: Choices):
        self.choices = choices
        self.said: Config = {}
        self.wrong: list[tuple[str, str]] = []
        self.passed: list[str] = []

    def read(self, values: Iterable[tuple[str, Any]], table: Mapping[str, Setting], *, complete: bool) -> None:
        """`complete`: every setting must be in the table."""
        for path, value in values:
            setting = meaning(path, table)
            if setting is None and not complete:
                continue
            problem = self._problem(path, value, setting)
            if (problem is not None and self.choices.accepts(path)) or (
                isinstance(setting, Says) and self.choices.names(path)
            ):
                self.passed.append(path)
            elif problem is not None:
                self.wrong.append((path, problem))
            elif isinstance(setting, Says):
                self.said[setting.key] = value

    def _problem(self, path: str, value: Any, setting: Setting | None) -> str | None:
        if setting is None:
            return f"{path} = {shown(value)}"
        if isinstance(setting, Says):
            before = self.said.get(setting.key, value)
            return None if before == value else f"{path} = {shown(value)} ({shown(before)} elsewhere in the file)"
        if isinstance(setting, Needs) and not any(_same(value, one) for one in setting.values):
            return f"{path} = {shown(value)} (not {' or '.join(map(shown, setting.values))})"
        return None

    def refuse(self) -> None:
        if self.wrong:
            paths, problems = zip(*self.wrong, strict=True)
            raise WeightsError(
                f"it has settings that no component is known to express: {'; '.join(problems[:20])}\n  if they change "
                f"nothing in what it computes: --accept '{','.join(paths[:20])}'"
            )


def _same(value: Any, other: Any) -> bool:
    return bool(type(value) is type(other) and value == other)
