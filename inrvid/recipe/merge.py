"""Merging a recipe's layers, the later over the earlier.

Where a layer changes a part's `type`, the inherited keys that the new type also has are kept, the others dropped.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, get_origin

from pydantic import BaseModel

from ..errors import ConfigError, dotted
from ..plain_yaml import KeyPath
from ..registry import PartOf, field_part, registry
from .file import Layer
from .fit import admits_one_value

Report = Callable[[str], None]


def merge_layer(base: Layer, layer: Layer, model: type[BaseModel], report: Report) -> Layer:
    """`layer` over `base`, both written for `model`; `report` is called with a line for what was dropped."""
    origins = dict(base.origins)
    base = dataclasses.replace(base, data=_without_foreign_eval_keys(base.data, layer.data, report))
    base = dataclasses.replace(base, data=_without_choices_of_another_protocol(base.data, layer.data, report))
    data = _merge(base.data, layer.data, model, (), origins, report)
    return Layer(data, {**origins, **layer.origins}, layer.name or base.name)


def _without_foreign_eval_keys(base: Mapping[str, Any], layer: Mapping[str, Any], report: Report) -> dict[str, Any]:
    """Drop inherited keys of `eval.data`, which are keys of `data`, that a new type of `data` lacks."""
    old, new = (_written(part, "data", "type") for part in (base, layer))
    inherited = _written(base, "eval", "data")
    if new in (None, old) or not isinstance(inherited, Mapping) or new not in registry("datasets").names():
        return dict(base)
    fields = registry("datasets").config_class(new).model_fields
    dropped = [key for key in inherited if key not in fields]
    if dropped:
        report(f"eval.data: data type {old} → {new}; dropped keys that the new type lacks: {', '.join(dropped)}")
    kept = {key: value for key, value in inherited.items() if key in fields}
    return {**base, "eval": {**base["eval"], "data": kept}}


def _without_choices_of_another_protocol(
    base: Mapping[str, Any], layer: Mapping[str, Any], report: Report
) -> dict[str, Any]:
    """Drop metrics and clips, which belong to a protocol, where a later layer names another protocol."""
    old, new = (_written(part, "eval", "protocol") for part in (base, layer))
    dropped = [key for key in ("metrics", "clips") if _written(base, "eval", key) is not None]
    if new in (None, old) or not dropped:
        return dict(base)
    replaced = [key for key in dropped if _written(layer, "eval", key) is None]
    if replaced:
        report(f"eval: protocol {old or 'none'} → {new}; {' and '.join(replaced)} are now those of the protocol")
    return {**base, "eval": {key: value for key, value in base["eval"].items() if key not in dropped}}


def _written(data: Mapping[str, Any], section: str, key: str) -> Any:
    part = data.get(section)
    return part.get(key) if isinstance(part, Mapping) else None


def _merge(
    base: Mapping[str, Any],
    layer: Mapping[str, Any],
    model: type[BaseModel] | None,
    path: KeyPath,
    origins: dict[KeyPath, str],
    report: Report,
) -> dict[str, Any]:
    merged = dict(base)
    for key, value in layer.items():
        old = merged.get(key)
        part = field_part(model, key) if model else None
        emptied = value == {} and _annotated_model(model, key) is None and not part
        if emptied or not isinstance(value, Mapping) or not (isinstance(old, Mapping) or part):
            merged[key] = value
            for below in [p for p in origins if p[: len(path) + 1] == (*path, key)]:
                del origins[below]  # what was written there before is gone
            continue
        inner = _annotated_model(model, key)
        old = old if isinstance(old, Mapping) else {}
        if part:
            old, value, inner = _retyped(old, value, model, key, part, (*path, key), report)
        merged[key] = _merge(old, value, inner, (*path, key), origins, report)
    return merged


def _retyped(
    old: Mapping[str, Any],
    new: Mapping[str, Any],
    model: type[BaseModel] | None,
    key: str,
    part: PartOf,
    path: KeyPath,
    report: Report,
) -> tuple[Mapping[str, Any], Mapping[str, Any], type[BaseModel] | None]:
    """(inherited keys that stay, new keys, configuration class) of a part that a layer writes to."""
    default = model.model_fields[key].default if model else None
    default_type = default.get("type") if isinstance(default, dict) else None
    old_type = old.get("type", default_type)
    new_type = new.get("type", old_type)
    if not isinstance(new_type, str):
        return old, new, None
    try:
        inner = registry(part.kind).config_class(new_type)
    except ConfigError:
        return old, new, None  # validation reports the unknown name
    if old_type is not None and new_type != old_type:
        kept = {name for name, field in inner.model_fields.items() if not admits_one_value(field)} - {"type"}
        dropped = [name for name in old if name not in kept | {"type"}]
        if dropped:
            keys = ", ".join(dropped)
            report(f"{dotted(path)}: type {old_type} → {new_type}; dropped keys that the new type lacks: {keys}")
        old = {name: value for name, value in old.items() if name in kept}
    return old, {"type": new_type, **new}, inner


def _annotated_model(model: type[BaseModel] | None, key: str) -> type[BaseModel] | None:
    field = model.model_fields.get(key) if model else None
    annotation = field.annotation if field else None
    if get_origin(annotation) is not None or not isinstance(annotation, type):  # dict[…] is a type to Python 3.10
        return None
    return annotation if issubclass(annotation, BaseModel) else None
