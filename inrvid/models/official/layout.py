"""What a layout says: how a release names its weights and its settings, and what they are here.

For each network it states four things: its names (`rules`), what the shapes of its weights tell (`measured`), what each
stored setting means (`settings`), and how inrvid's configuration follows from all that (`config`). In between comes the
release's configuration, a flat mapping in the papers' terms: `resolution`, `fmm_rank`, `motion_distance`.

No stored setting is ignored: it is expressed, has the one value that can be expressed, or is known to change nothing.
"""

from __future__ import annotations

import fnmatch
import itertools
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias, TypeVar

from torch import Tensor

from ...weights import WeightsError

Rules: TypeAlias = list[tuple[str, "str | Callable[[re.Match[str]], str]"]]
"""(pattern of the release's name, ours); rules are tried in order, the first that matches is taken."""

Shapes: TypeAlias = Mapping[str, tuple[int, ...]]
"""Shapes of a network's weights, by the release's names."""

Config: TypeAlias = dict[str, Any]
Value = TypeVar("Value")

LEAVES = 5000
"""Settings of a network, at most."""


@dataclass(frozen=True)
class Says:
    """A setting that is a key of the release's configuration."""

    key: str


@dataclass(frozen=True)
class Needs:
    """A setting of which only one value (or a few) can be expressed."""

    values: tuple[Any, ...]

    @classmethod
    def one_of(cls, *values: Any) -> Needs:
        return cls(values)


@dataclass(frozen=True)
class Inert:
    """A setting that changes nothing in what the network computes."""

    why: str


Setting: TypeAlias = "Says | Needs | Inert"


@dataclass(frozen=True)
class Constant:
    """A weight of the release that is a constant: the value it always has, by its configuration and shape."""

    value: Callable[[Mapping[str, Any], tuple[int, ...]], Tensor] | None
    """None: whatever it is, it changes nothing."""
    what: str
    """The value in words, for users with a file in which it is another."""


@dataclass(frozen=True)
class Part:
    """One network of a release."""

    rules: Rules
    measured: Callable[[Shapes], Config]
    """What the shapes of its weights tell. Raises WeightsError if they are not those of this network."""
    settings: Mapping[str, Setting]
    """What its settings mean, by their paths, in which `*` stands for anything; the first that matches is taken."""
    config: Callable[[Mapping[str, Any]], Config]
    """The release's configuration → inrvid's. Raises KeyError: it lacks a key."""
    constants: Mapping[str, Constant] = field(default_factory=dict)
    """Weights that are constants, by the ends of their names."""
    attributes: Mapping[str, Setting] = field(default_factory=dict)
    """What attributes of its modules mean, by path, like `settings`; those not here follow from the settings."""
    fixed: Mapping[str, Tensor] = field(default_factory=dict)
    """Weights that inrvid's network has and the release's lacks."""
    assumed: Mapping[str, Any] = field(default_factory=dict)
    """Published values, for keys that a file may lack."""


@dataclass(frozen=True)
class Layout:
    """A release."""

    name: str
    title: str
    marker: str
    """A pattern of a weight's name. The first layout of `LAYOUTS` whose marker is found in a file is taken."""
    generator: Part
    discriminator: Part


def renamed(tensors: Mapping[str, Value], part: Part) -> dict[str, Value]:
    """Tensors by inrvid's names, without the constants. Names that match no rule stay, so that loading reports them."""
    return {_rename(name, part.rules): value for name, value in tensors.items() if constant(name, part) is None}


def below(prefix: str, tensors: Mapping[str, Value]) -> dict[str, Value]:
    """The tensors whose name starts with `prefix`, without it."""
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}


def constant(name: str, part: Part) -> Constant | None:
    """The constant that the weight of that name is; None if it is none."""
    return next((made for end, made in part.constants.items() if f".{name}".endswith(f".{end}")), None)


def _rename(name: str, rules: Rules) -> str:
    for pattern, replacement in rules:
        match = re.fullmatch(pattern, name)
        if match:
            return match.expand(replacement) if isinstance(replacement, str) else replacement(match)
    return name


def flat(settings: Mapping[str, Any], above: str = "", met: Iterator[int] | None = None) -> Iterator[tuple[str, Any]]:
    """(path, value) of everything in nested settings; None and empty mappings count as not set.

    Args:
        met: counts what was met so far, over all levels.
    """
    met = itertools.count() if met is None else met
    for key, value in settings.items():
        path = f"{above}{key}"
        if next(met) > LEAVES or len(path) > 500:  # a mapping may be in several others, and they in several others
            raise WeightsError("damaged: its settings are too many")
        if isinstance(value, Mapping):
            yield from flat(value, f"{path}.", met)
        elif value is not None:
            yield path, value


def meaning(path: str, settings: Mapping[str, Setting]) -> Setting | None:
    return next((found for pattern, found in settings.items() if fnmatch.fnmatchcase(path, pattern)), None)


def sides(shapes: Shapes, pattern: str) -> list[int]:
    """The numbers (of blocks, or layers) in the names that match `pattern`, ascending. Raises WeightsError if none
    matches."""
    found = sorted({int(match[1]) for name in shapes if (match := re.fullmatch(pattern, name))})
    if not found:
        raise WeightsError(f"it has no weight whose name is {pattern!r}")
    return found


def size(shapes: Shapes, name: str, dimension: int) -> int:
    """Size of one dimension of a weight. Raises WeightsError if there is no such weight."""
    shape = shapes.get(name, ())
    if not -len(shape) <= dimension < len(shape):
        raise WeightsError(f"it has no weight {name} of more than {dimension} dimensions")
    return shape[dimension]


def channels(by_side: Mapping[int, int]) -> Config:
    """`channel_base`, `channel_max` for which channels(r) = min(base // r, max). Raises WeightsError if there are
    none."""
    most = max(by_side.values())
    below_most = {side: count for side, count in by_side.items() if count < most}
    base = max((side * count for side, count in below_most.items()), default=most * max(by_side))
    found = {side: min(base // side, most) for side in by_side}
    if found != dict(by_side):
        raise WeightsError(
            f"its channels by resolution, {dict(by_side)}, are not min(base // resolution, max) of any two"
        )
    return {"channel_base": base, "channel_max": most}
