"""YAML as plain data, with the line of every key: mappings, lists, text, numbers, true, false, null, and nothing else.

What YAML can say beyond that (dates, sets, Python's objects) is no part of a recipe: dates are text, tags are refused.
Nesting is bounded, and so is what aliases unfold to.
"""

from __future__ import annotations

import re
from typing import Any

import yaml

from .errors import InrvidError
from .text import is_text

KeyPath = tuple[str, ...]

DEEPEST = 50
MOST_VALUES = 100_000
"""Values in a file, each alias counted as what it stands for."""

MOST_DIGITS = 4000
"""Digits of one number; Python refuses to read more."""


class Loader(yaml.SafeLoader):
    """YAML 1.1's plain values, in which 1e-3 is a number (1.1 wants 1.0e-3) and 2001-01-01 is text."""

    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        self.depth += 1
        if self.depth > DEEPEST:
            raise yaml.MarkedYAMLError(problem="nested too deeply", problem_mark=self.peek_event().start_mark)
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


_PLAIN = {f"tag:yaml.org,2002:{name}" for name in ("null", "bool", "int", "float", "str", "seq", "map")}

Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag in _PLAIN]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?(\d[\d_]*)(\.[\d_]*)?[eE][-+]?\d+$"),
    list("-+0123456789"),
)


def parse(text: str, shown: str) -> tuple[Any, dict[KeyPath, str]]:
    """(the text's data, where each key is written: "file:line"); `shown` is the file's name in messages.

    Raises:
        InrvidError: not YAML, or not plain data; one line, with file and line.
    """
    try:
        loader = Loader(text)
    except yaml.YAMLError as error:  # characters that YAML does not admit
        raise InrvidError(f"{shown}: not YAML: {_one_line(error)}") from None
    try:
        return _Document(loader, shown).read()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise InrvidError(f"{shown}:{line}  not YAML: {error.problem or error.context}") from None
    except yaml.YAMLError as error:
        raise InrvidError(f"{shown}: not YAML: {_one_line(error)}") from None
    except RecursionError:
        raise InrvidError(f"{shown}: not YAML: nested too deeply") from None
    finally:
        loader.dispose()


class _Dumper(yaml.SafeDumper):
    """Quotes what `Loader`, or another reader of YAML 1.1, would take for something other than text."""


_Dumper.yaml_implicit_resolvers = {
    first: [*yaml.SafeDumper.yaml_implicit_resolvers.get(first, []), *Loader.yaml_implicit_resolvers.get(first, [])]
    for first in {*yaml.SafeDumper.yaml_implicit_resolvers, *Loader.yaml_implicit_resolvers}
}


def dump(data: Any) -> str:
    """Plain data as YAML that `parse` reads back unchanged."""
    return yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)


def parse_value(text: str) -> Any:
    """One value, as written after `--set key=`. Raises InrvidError."""
    return parse(text, "value")[0]


class _Document:
    """One document on its way from nodes to data."""

    def __init__(self, loader: Loader, shown: str):
        self.loader, self.shown = loader, shown
        self.origins: dict[KeyPath, str] = {(): shown}
        self.count = 0

    def read(self) -> tuple[Any, dict[KeyPath, str]]:
        node = self.loader.get_single_node()
        return (self._value(node, ()) if node else None), self.origins

    def _value(self, node: yaml.Node, path: KeyPath) -> Any:
        self.count += 1
        if len(path) > DEEPEST:
            raise self._wrong(node, "nested too deeply, or an alias of itself")
        if self.count > MOST_VALUES:
            raise self._wrong(node, f"more than {MOST_VALUES} values, aliases unfolded")
        if node.tag not in _PLAIN:
            raise self._wrong(node, f"the tag {node.tag.replace('tag:yaml.org,2002:', '!!')} is not admitted")
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self._item(item, (*path, str(i))) for i, item in enumerate(node.value)]
        return self._scalar(node)

    def _mapping(self, node: yaml.MappingNode, path: KeyPath) -> dict[Any, Any]:
        self._bounded(len(node.value), node)
        result: dict[Any, Any] = {}
        for key_node, value_node in node.value:
            key = self._key(key_node)
            inner = (*path, str(key))
            if key in result:
                raise InrvidError(f"{self._place(key_node)}  {'.'.join(inner)}: written twice")
            self.origins[inner] = self._place(key_node)
            result[key] = self._value(value_node, inner)
        return result

    def _item(self, node: yaml.Node, path: KeyPath) -> Any:
        self.origins[path] = self._place(node)
        return self._value(node, path)

    def _key(self, node: yaml.Node) -> str | int:
        if isinstance(node, yaml.ScalarNode) and node.value == "<<" and not node.style:
            raise self._wrong(node, "merge keys (<<) are not admitted: write it out, or extend another file")
        key = self._scalar(node) if isinstance(node, yaml.ScalarNode) and node.tag in _PLAIN else None
        if not isinstance(key, str | int) or isinstance(key, bool) or not is_text(str(key)):
            raise self._wrong(node, "a key should be a name or a whole number")
        return key

    def _scalar(self, node: yaml.Node) -> Any:
        if node.tag.endswith((":int", ":float")) and ":" in node.value:
            return node.value  # YAML 1.1 would read 1:30 as 90
        if node.tag.endswith((":int", ":float")) and len(node.value) > MOST_DIGITS:
            raise self._wrong(node, "a number of too many digits")
        try:
            value = self.loader.construct_object(node)
            if isinstance(value, int) and value.bit_length() > 3 * MOST_DIGITS:  # of hexadecimal digits
                raise self._wrong(node, "a number of too many digits")
            return value
        except (ValueError, KeyError, TypeError, IndexError, OverflowError, AttributeError):  # '!!int abc', '0x_'
            kind = node.tag.rsplit(":", 1)[-1]
            raise self._wrong(node, f"{str(node.value)[:40]!r} is not of the kind '{kind}'") from None

    def _bounded(self, more: int, node: yaml.Node) -> None:
        if self.count + more > MOST_VALUES:
            raise self._wrong(node, f"more than {MOST_VALUES} values, aliases unfolded")

    def _wrong(self, node: yaml.Node, problem: str) -> yaml.MarkedYAMLError:
        return yaml.MarkedYAMLError(problem=problem, problem_mark=node.start_mark)

    def _place(self, node: yaml.Node) -> str:
        return f"{self.shown}:{node.start_mark.line + 1}"


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
