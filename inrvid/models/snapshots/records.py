"""Objects of classes, as data: which class the file names, and the state that it gives the object.

`Plain` turns them into settings. OmegaConf's containers, in which the releases keep theirs, are trees of nodes that
know their parents; a value may refer to another (`${sampling.fps}`), from the root or, with leading dots, from its own
place (OmegaConf's documentation, "Variable interpolation").
"""

from __future__ import annotations

import re
import reprlib
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ...weights import WeightsError
from ..machine import Name

DEPTH = 60
"""Depth of settings within settings, at most."""

_REFERENCE = re.compile(r"\$\{(\.*)([\w.]+)\}")


@dataclass(eq=False)
class Record:
    """An object of the class that the file calls `name`."""

    name: str
    arguments: tuple[Any, ...] = ()
    state: Any = None
    items: dict[Any, Any] = field(default_factory=dict)
    """Its items, if the class is one of mappings."""
    elements: list[Any] = field(default_factory=list)
    """Its elements, if the class is one of lists."""

    def field(self, key: str) -> Any:
        """A field of its state; None if it has none."""
        return self.state.get(key) if isinstance(self.state, dict) else None

    @property
    def is_node(self) -> bool:
        """Whether it is one of OmegaConf's nodes."""
        return self.name.startswith("omegaconf.")


class Plain:
    """Settings as mappings, lists, numbers and text; what is shared in the file stays shared."""

    def __init__(self) -> None:
        self._made: dict[int, tuple[Any, Any]] = {}
        self._depth = 0

    def __call__(self, value: Any) -> Any:
        """`value` as plain data. Objects that are not settings stay as they are.

        Raises:
            WeightsError: a setting that contains itself, or is nested too deep.
        """
        if not isinstance(value, dict | list | tuple | Record):
            return value.item() if isinstance(value, np.generic) else value
        if id(value) not in self._made:
            self._depth += 1
            if self._depth > DEPTH:
                raise WeightsError(f"damaged: its settings contain themselves, or are nested {DEPTH} deep")
            self._made[id(value)] = (value, self._of(value))  # keep the value too, so that its id is not reused
            self._depth -= 1
        return self._made[id(value)][1]

    def _of(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: self(inner) for key, inner in value.items()}
        if isinstance(value, list | tuple):
            return [self(inner) for inner in value]
        if value.is_node:
            return self(_content(value))
        if value.name.startswith("pathlib."):
            return "/".join(str(part) for part in value.arguments)
        if value.items or value.name.endswith("Dict"):
            return self(value.items)
        return value


def _content(node: Record) -> Any:
    """What a node of OmegaConf holds: other nodes, a value, or what it refers to."""
    content = (
        node.field("_content") if isinstance(node.state, dict) and "_content" in node.state else node.field("_val")
    )
    reference = _REFERENCE.fullmatch(content) if isinstance(content, str) else None
    found = None if reference is None else _referred(node, len(reference[1]), reference[2].split("."))
    return content if found is None else found


def _referred(node: Record, dots: int, path: list[str]) -> Record | None:
    """The node at `path`: from the root, or up as many parents as there are dots. None if there is none."""
    steps = 0
    while (dots == 0 or steps < dots) and isinstance(above := node.field("_parent"), Record) and steps < DEPTH:
        node, steps = above, steps + 1
    for key in path:
        content = node.field("_content")
        found = content.get(key) if isinstance(content, dict) else None
        if not isinstance(found, Record):
            return None
        node = found
    return node


def shown(value: Any) -> str:
    """A value as text for a message."""
    if isinstance(value, Record | Name):
        return f"an object of {value.name if isinstance(value, Record) else value.text}"[:100]
    try:
        text = _REPR.repr(value)
    except ValueError:  # a number of more digits than Python writes
        return "a number of very many digits"
    return text if len(text) <= 100 else f"{text[:97]}..."


_REPR = reprlib.Repr()
"""Shows few parts of few levels: a list that holds a list twice, and so on for fifty levels, has 2^50 parts."""
_REPR.maxlevel, _REPR.maxstring, _REPR.maxother = 3, 100, 100
