"""What the parts of a recipe need from each other: derived where it is not written, refused where it contradicts."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic.fields import FieldInfo

from ..config import PartConfig
from ..errors import ConfigError, InrvidError, dotted
from ..plain_yaml import KeyPath
from ..precision import HALF
from ..registry import registry

Problems = list[tuple[KeyPath, str]]


@dataclasses.dataclass(frozen=True)
class Derived:
    """`target` takes the value of `source` where it is not written, and must equal it where it is.

    `if_fixed`: only where the source's component admits a single value and the target's several; a written target is
    then not compared.
    """

    target: tuple[str, str]
    source: tuple[str, str]
    if_fixed: bool = False


DERIVED = [
    Derived(("discriminator", "resolution"), ("generator", "resolution")),
    Derived(("discriminator", "label_dim"), ("generator", "label_dim")),
    Derived(("discriminator", "clip_length"), ("generator", "clip_length")),
    Derived(("time_sampler", "clip_length"), ("generator", "clip_length")),
    Derived(("discriminator", "frames"), ("time_sampler", "frames"), if_fixed=True),
    Derived(("time_sampler", "frames"), ("discriminator", "frames")),
    Derived(("discriminator", "max_frames"), ("time_sampler", "max_frames")),
    Derived(("data", "resolution"), ("generator", "resolution")),
    Derived(("data", "clip_length"), ("generator", "clip_length")),
]


def derive(data: dict[str, Any]) -> tuple[dict[KeyPath, str], Problems]:
    """Fill in, in place, what parts take from each other: by `DERIVED`, `train.precision` and the generator's classes.

    Returns:
        (where each value that `DERIVED` filled in comes from, what contradicts).
    """
    derived: dict[KeyPath, str] = {}
    problems: Problems = []
    for rule in DERIVED:
        target, key = data.get(rule.target[0]), rule.target[1]
        value = _value(data, *rule.source)
        if not isinstance(target, dict) or value is UNKNOWN or not _has_field(*rule.target, data):
            continue
        if rule.if_fixed and (key in target or not _is_fixed(*rule.source, data) or _is_fixed(*rule.target, data)):
            continue
        if key not in target:
            target[key] = value
            derived[rule.target] = f" (derived from {dotted(rule.source)})"
        elif target[key] != value and target[key] not in ([value, value], (value, value)):
            message = f"is {target[key]}, but {dotted(rule.source)} is {value}: leave this key out, or make them equal"
            problems.append((rule.target, message))
    return derived, problems + _spread_precision(data) + _ask_for_labels(data)


def follow_protocol(data: dict[str, Any]) -> Problems:
    """Take `eval.metrics` and `eval.clips`, where not written, from `eval.protocol`. A protocol's file is then named by
    its whole path: a resolved recipe is the same wherever it is read."""
    section = data.get("eval")
    name = section.get("protocol") if isinstance(section, Mapping) else None
    if not isinstance(section, Mapping) or not isinstance(name, str):
        return []
    from ..evaluation.protocol import load_protocol  # which imports the parts that protocols name
    from ..evaluation.protocol_files import PROTOCOLS

    try:
        protocol, _ = load_protocol(name)
    except (OSError, ValueError) as error:
        return [(("eval", "protocol"), f"cannot be read: {getattr(error, 'strerror', None) or error}")]
    except InrvidError as error:
        return [(("eval", "protocol"), str(error))]
    own = protocol.model_dump(mode="json", include={"metrics", "clips"})
    path = name if name in PROTOCOLS.claims() else str(Path(name).resolve())
    data["eval"] = {**own, **section, "protocol": path}
    return []


def eval_problems(data: Mapping[str, Any]) -> Problems:
    """What is wrong with `eval.data` as changes to `data`: found now, not at the end of the training."""
    try:
        registry("datasets").validate({**data["data"], **(data.get("eval", {}).get("data", {}))})
    except ConfigError as error:
        return [(("eval", "data", *path), message) for path, message in error.problems]
    return []


def _spread_precision(data: dict[str, Any]) -> Problems:
    """Fill in both networks' half precision from `train.precision`, in place. Returns what contradicts it."""
    train = data.get("train")
    name = train.get("precision", "fp32") if isinstance(train, dict) else "fp32"
    problems: Problems = []
    for section in ("generator", "discriminator"):
        for key, value in HALF.get(str(name), {}).items():
            if not isinstance(data.get(section), dict) or not _has_field(section, key, data):
                continue
            if data[section].setdefault(key, value) != value:
                message = (
                    f"is {data[section][key]}, but train.precision is {name}, which makes it {value}: leave it out"
                )
                problems.append(((section, key), message))
    return problems


def _ask_for_labels(data: dict[str, Any]) -> Problems:
    """Fill in `data.labels` for a conditional generator, in place. Returns what contradicts it."""
    classes, section = _value(data, "generator", "label_dim"), data.get("data")
    if classes in (UNKNOWN, 0) or not isinstance(section, dict) or section.setdefault("labels", True):
        return []
    message = f"is false, but generator.label_dim is {classes}: a conditional generator needs labels"
    return [(("data", "labels"), message)]


_KINDS: dict[str, Literal["generators", "discriminators", "time_samplers", "datasets"]] = {
    "generator": "generators",
    "discriminator": "discriminators",
    "time_sampler": "time_samplers",
    "data": "datasets",
}


def _config_class(section: str, data: Mapping[str, Any]) -> type[PartConfig] | None:
    part = data.get(section)
    if not isinstance(part, Mapping) or not isinstance(part.get("type"), str):
        return None
    try:
        return registry(_KINDS[section]).config_class(part["type"])
    except ConfigError:
        return None  # validation reports it


def _has_field(section: str, key: str, data: Mapping[str, Any]) -> bool:
    model = _config_class(section, data)
    return model is not None and key in model.model_fields


def _is_fixed(section: str, key: str, data: Mapping[str, Any]) -> bool:
    """Whether the component admits a single value of the key."""
    model = _config_class(section, data)
    return model is not None and admits_one_value(model.model_fields[key])


UNKNOWN = object()
"""The value of a key if its section has no known type, or a type that lacks it (None may be a value)."""


def _value(data: Mapping[str, Any], section: str, key: str) -> Any:
    """A key's value as written, else its default; or `UNKNOWN`."""
    model = _config_class(section, data)
    if model is None or key not in model.model_fields:
        return UNKNOWN
    return data[section].get(key, model.model_fields[key].default)


def admits_one_value(field: FieldInfo) -> bool:
    return get_origin(field.annotation) is Literal and len(get_args(field.annotation)) == 1
