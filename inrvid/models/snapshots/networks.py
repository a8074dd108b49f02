"""The value of a snapshot → its networks by name, each with its weights and what it stores of its settings.

A network is stored as an object (a module of modules, as `torch.nn` keeps them, with its constructor's arguments) or
only as its weights by name. The releases call the networks `G`, `D` and `G_ema`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from torch import Tensor

from ...weights import WeightsError
from .records import Plain, Record
from .storage import Numbers

NETWORKS = {"G_ema": "G_ema", "g_ema": "G_ema", "G": "G", "D": "D", "D_state": "D"}
"""What snapshots call their networks → what they are called here."""

MOST = 200_000
"""Modules of a network and what they hold, at most: anything in several places counts once for each."""

_SIMPLE = (int, float, str, np.generic)

_STEPS = re.compile(r"network-snapshot-(\d{6})\b")
"""Names of the releases' files say how many thousand pictures were seen."""


@dataclass(frozen=True)
class Stored:
    """A network of a snapshot."""

    name: str
    """One of the names in `NETWORKS`."""
    weights: Mapping[str, Numbers | Tensor]
    """Parameters and buffers, by their names in the release."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Its constructor's arguments, as plain data; empty if it is stored without them."""
    attributes: Mapping[str, Any] = field(default_factory=dict)
    """Numbers and text among its modules' attributes, by path: `synthesis.b4.conv1.up`."""


@dataclass(frozen=True)
class Snapshot:
    networks: Mapping[str, Stored]
    facts: Mapping[str, Any]
    """Numbers and text stored beside the networks."""
    left_out: tuple[str, ...]
    """Names of what else is stored beside the networks."""


def snapshot(value: Any) -> Snapshot:
    """The networks of what a file holds.

    Raises:
        WeightsError: it holds none, or they are damaged.
    """
    value = {"G_ema": value} if _is_network(value) else value
    if not isinstance(value, dict):
        raise WeightsError(f"no networks in it: it holds one value of type {type(value).__name__}")
    networks, facts, others = {}, {}, []
    for key, part in _by_network(value).items():
        name = NETWORKS.get(key) if isinstance(key, str) else None
        if name is not None and _is_network(part):
            networks[name] = _stored(name, part)
        elif (plain := _fact(part)) is not None:
            facts[str(key)[:80]] = plain
        elif part is not None:
            others.append(str(key)[:80])
    if not {"G_ema", "G"} & {*networks}:
        raise WeightsError(f"no generator in it: it holds {', '.join([*networks, *facts, *others][:20]) or 'nothing'}")
    return Snapshot(networks, facts, tuple(others))


def steps_of(file_name: str) -> int | None:
    """Thousands of pictures that the network had seen, if its file's name says so as the releases' do."""
    found = _STEPS.search(file_name)
    return int(found[1]) if found else None


def _by_network(value: dict[Any, Any]) -> dict[Any, Any]:
    """`value` with the weights of each network under its name, if they are all in one mapping: `G_ema.mapping.…`."""
    made: dict[Any, Any] = {}
    for key, part in value.items():
        prefix, dot, rest = key.partition(".") if isinstance(key, str) else (key, "", "")
        if dot and isinstance(part, Numbers | Tensor) and prefix in NETWORKS:
            made.setdefault(prefix, {})[rest] = part
        else:
            made[key] = part
    return made


def _is_network(part: Any) -> bool:
    if isinstance(part, Record):
        return isinstance(part.field("_modules"), dict)
    return (
        isinstance(part, dict)
        and bool(part)
        and all(
            isinstance(key, str)
            and isinstance(value, Numbers | Tensor)
            and "." in key
            and key.partition(".")[0] not in NETWORKS
            for key, value in part.items()
        )
    )


def _stored(name: str, part: Any) -> Stored:
    if isinstance(part, dict):
        return Stored(name, part)
    weights: dict[str, Numbers | Tensor] = {}
    attributes: dict[str, Any] = {}
    plain = Plain()
    for place, module in _modules(part):
        hidden = module.field("_non_persistent_buffers_set") or ()
        for kind in ("_parameters", "_buffers"):
            for key, value in (module.field(kind) or {}).items():
                if isinstance(value, Numbers | Tensor) and key not in hidden:
                    weights[f"{place}{key}"] = value
                elif value is not None and key not in hidden:
                    raise WeightsError(f"damaged: {name}.{place}{key} is no tensor")
        attributes |= {f"{place}{key}": plain(v) for key, v in module.state.items() if isinstance(v, _SIMPLE)}
        attributes[f"{place}class"] = module.name
    positional, named = plain(part.field("_init_args")), plain(part.field("_init_kwargs"))
    settings = {str(key): value for key, value in named.items()} if isinstance(named, dict) else {}
    settings |= {f"argument {i}": value for i, value in enumerate(positional or [])}
    return Stored(name, weights, settings, attributes)


def _modules(root: Record) -> Iterator[tuple[str, Record]]:
    """(place, module) of a module and all modules in it; a place is empty, or ends in a dot. Raises WeightsError."""
    left, count = [("", root)], 0
    while left:
        place, module = left.pop()
        parts = [module.state, *(module.field(kind) or {} for kind in ("_parameters", "_buffers", "_modules"))]
        if not all(isinstance(part, dict) for part in parts):
            raise WeightsError(f"damaged: its module {place[:80]!r} is none")
        count += 1 + sum(map(len, parts))
        if count > MOST or len(place) > 1000:
            raise WeightsError("damaged: its modules are too many, or contain themselves")
        yield place, module
        inner = module.field("_modules") or {}
        for key, child in reversed(list(inner.items())):
            if isinstance(child, Record):
                left.append((f"{place}{key}.", child))
            elif child is not None:
                raise WeightsError(f"damaged: its module {place[:80] + str(key)[:80]!r} is none")


def _fact(part: Any) -> Any:
    """A number, a text, or a mapping of them (settings of data sets); None for anything else."""
    plain = Plain()(part)
    if isinstance(plain, int | float | str):
        return plain
    if isinstance(plain, dict) and not _is_network(plain):
        facts = {str(k)[:80]: v for k, v in plain.items() if isinstance(v, int | float | str | None)}
        return facts if len(facts) == len(plain) else None
    return None
