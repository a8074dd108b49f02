"""What is installed, for people to look at: what packages declare, parts found by name, and the keys that they take."""

from __future__ import annotations

import importlib.metadata
from typing import Any

from pydantic_core import PydanticUndefined

from .config import MOST, PartConfig
from .errors import InrvidError, did_you_mean
from .packages import package_of, taken
from .registry import PLUGIN_GROUP, REGISTRIES, Entry, field_part, plugins, registry

BOUNDS = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}


def declared() -> list[tuple[str, Entry]]:
    """(kind, entry) of everything that packages claim, including names that are taken."""
    return [(kind, entry) for kind in REGISTRIES for claims in plugins(kind).values() for entry in claims]


def find(name: str) -> tuple[str, str]:
    """(kind, name) of a component by `name`, or `kind.name` where several kinds have one of that name.

    Raises:
        InrvidError: there is none, or several.
    """
    kind, _, rest = name.rpartition(".")
    if kind:
        registry(kind).entry(rest)
        return kind, rest
    found = [kind for kind, kinds in REGISTRIES.items() if name in kinds.names()]
    if len(found) > 1:
        raise InrvidError(f"'{name}' is one of {' and of '.join(found)}: write {found[0]}.{name}")
    if not found:
        near = did_you_mean(name, [known for kinds in REGISTRIES.values() for known in kinds.names()])
        raise InrvidError(f"no component named '{name}'.{near}\n  inrvid plugins list shows what is installed")
    return found[0], name


def ignored_plugins() -> list[str]:
    """What packages declare to no effect, a line each: kinds that do not exist, names of the library's own."""
    points = importlib.metadata.entry_points(group=PLUGIN_GROUP)
    wrong = [point for point in points if point.name.partition(".")[0] not in REGISTRIES or "." not in point.name]
    told = [
        f"{point.name} of {' '.join(package_of(point)).strip()}: an entry point is named <kind>.<name>, "
        f"of {', '.join(REGISTRIES)}"
        for point in wrong
    ]
    for kind, kinds in REGISTRIES.items():
        claims = [entry for name in kinds.built_in for entry in plugins(kind).get(name, [])]
        told += [taken(kinds.noun, entry.name, entry.provider) for entry in claims]
    return told


def keys_of(config: type[PartConfig]) -> list[dict[str, Any]]:
    """name, type, default, required and description of each key of a configuration, as plain data."""
    schema = config.model_json_schema()
    found = []
    for name, field in config.model_fields.items():
        part = field_part(config, name)
        what = f"a {registry(part.kind).noun}" if part else _type(schema["properties"][name], schema.get("$defs", {}))
        default = schema["properties"][name].get("default") if field.default is not PydanticUndefined else None
        about = {"name": name, "type": what, "default": default, "required": field.is_required()}
        found += [{**about, "description": field.description or ""}] if name != "type" else []
    return found


def _type(schema: dict[str, Any], definitions: dict[str, Any]) -> str:
    """The type of a value, in words: 'number > 0', 'release or paper'."""
    if "$ref" in schema:
        return _type(definitions[schema["$ref"].rpartition("/")[2]], definitions)
    if "anyOf" in schema:
        return " or ".join(_type(choice, definitions) for choice in schema["anyOf"])
    if "const" in schema:
        return str(schema["const"])
    if "enum" in schema:
        return " or ".join(map(str, schema["enum"]))
    if isinstance(items := schema.get("items"), dict):
        return f"list of {_type(items, definitions)}"
    bounds = [f"{sign} {schema[key]:g}" for key, sign in BOUNDS.items() if schema.get(key, MOST) != MOST]
    return " ".join([schema.get("type", "anything").replace("null", "none"), *bounds])
