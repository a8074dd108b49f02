"""One registry per kind of component; built-in parts and plugins are found by name and imported when needed.

An `Entry` is a frozen record: name, where the class is (`module:Class`), and the package that provides it. The class
says the rest: its docstring's first line is the summary, its attribute `source` the paper and section. The library's
own parts are listed in `components`; third-party packages declare entry points in the group `inrvid.plugins`, named
`<kind>.<name>`:

    [project.entry-points."inrvid.plugins"]
    "motions.wavelet" = "my_package.wavelet:WaveletMotion"

so that what a package offers is known from its metadata alone. The library keeps its own names: another package's claim
to one is ignored, with a warning. A part that is in no package yet, of a script or notebook, is added by
`Registry.add`, for this process. The class has a nested `Config` (a `PartConfig`) and is constructed as
`Class(config, **context)`, where the context is what its place in the model decides (widths, number of labels, ...),
documented by the kind's base class.
"""

from __future__ import annotations

import functools
import importlib
import importlib.metadata
import inspect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, get_args

from pydantic import BaseModel, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from .components import BUILT_IN
from .config import PartConfig, inline_refs, validate
from .errors import ConfigError, InrvidError, did_you_mean
from .packages import OURS, misfit, package_of, tell_ignored

PLUGIN_GROUP = "inrvid.plugins"


@dataclass(frozen=True)
class Entry:
    """What is known of a component without importing it."""

    name: str
    target: str
    package: str = OURS
    version: str = ""
    misfit: str = ""
    """Why its package does not fit this version of the library; empty if it does."""

    @property
    def is_plugin(self) -> bool:
        return self.package != OURS

    @property
    def provider(self) -> tuple[str, str]:
        return self.package, self.version


class Registry:
    """The components of one kind, by name.

    Args:
        kind: plural, as in recipes' documentation and entry points: `motions`.
        noun: what one of them is called in messages: `motion`.
    """

    def __init__(self, kind: str, noun: str):
        self.kind, self.noun = kind, noun
        self.built_in = {name: Entry(name, target) for name, target in BUILT_IN.get(kind, {}).items()}
        self._added: dict[str, type] = {}
        self._describing = False

    def add(self, name: str, component: type) -> None:
        """Register a class of this process, of a script or notebook, as a component that configurations may name.

            registry("motions").add("wavelet", WaveletMotion)

        Adding another class under the same name replaces the first. Other processes, a model's next user and the
        command line know of it only if they add it too: what others are to use belongs in a package.

        Raises:
            InrvidError: the name is the library's own or a package's, or the class has no `Config`.
        """
        if name in self.built_in or name in plugins(self.kind):
            owner = " ".join(self.entry(name).provider).strip()
            raise InrvidError(f"{self.noun} '{name}' is {owner}'s: add yours under another name")
        _check_config(component, f"{self.noun} '{name}' ({component!r})", ": docs/plugins.md has examples")
        self._added[name] = component

    def names(self) -> list[str]:
        return sorted({*self.built_in, *self._added, *plugins(self.kind)})

    def entry(self, name: str) -> Entry:
        """The record of `name`.

        Raises:
            ConfigError: unknown name (with the nearest one), a name claimed by two packages, or one of a package that
                was made for other versions of the library.
        """
        claims = plugins(self.kind).get(name, [])
        if name in self.built_in:
            tell_ignored(self.noun, name, [entry.provider for entry in claims])
            return self.built_in[name]
        if name in self._added:
            added = self._added[name]
            return Entry(name, f"{added.__module__}:{added.__qualname__}")
        if not claims:
            raise self._wrong(self._unknown(name))
        if len(claims) > 1:
            packages = " and ".join(" ".join(entry.provider).strip() for entry in claims)
            raise self._wrong(f"{self.noun} '{name}' is claimed by {packages}: uninstall one of them")
        if claims[0].misfit:
            package = " ".join(claims[0].provider)
            raise self._wrong(f"{self.noun} '{name}' comes from {package}, which {claims[0].misfit}")
        return claims[0]

    def _unknown(self, name: str) -> str:
        near = did_you_mean(name, self.names()) or " A package that is not installed may bring it."
        return f"no {self.noun} named '{name}'.{near}\n{self._available()}"

    def _available(self) -> str:
        return f"  available: {', '.join(self.names()) or 'none'}   (inrvid plugins list {self.kind})"

    def _wrong(self, message: str) -> ConfigError:
        return ConfigError([(("type",), message)])

    def component(self, name: str) -> type:
        """The class of `name`, imported now. Raises InrvidError naming the package if the import fails."""
        entry = self.entry(name)
        return self._added.get(name) or _load(entry.target, entry, self.noun)

    def config_class(self, name: str) -> type[PartConfig]:
        entry = self.entry(name)
        told = f"{self.noun} '{name}' of {entry.package} {entry.version} ({entry.target})"
        return _check_config(self.component(name), told, _remedy(entry, "docs/plugins.md has examples"))

    def summary(self, name: str) -> str:
        """The docstring's first line. Imports the class, as does `source`."""
        return (inspect.getdoc(self.component(name)) or "").split("\n")[0].rstrip(".")

    def source(self, name: str) -> str:
        """Paper and section, as the class says."""
        return str(getattr(self.component(name), "source", ""))

    def validate(self, data: Any) -> PartConfig:
        """`{"type": name, ...}` as that component's configuration. Raises ConfigError."""
        if isinstance(data, PartConfig):
            if not data.type:
                raise self._wrong(f"this configuration does not say which {self.noun} it is of\n{self._available()}")
            return data
        if isinstance(data, Mapping) and isinstance(data.get("type"), type):
            added = f"registry('{self.kind}').add('NAME', {data['type'].__name__})"
            raise self._wrong(f"this is a class, a name is expected: {added} gives it one")
        if not isinstance(data, Mapping) or not isinstance(data.get("type"), str):
            raise self._wrong(f"expected a {self.noun}: a mapping with a 'type'\n{self._available()}")
        return validate(self.config_class(data["type"]), data)

    def build(self, data: Any, **context: Any) -> Any:
        """The component that `data` (a mapping or a validated configuration) describes.

        Raises:
            ConfigError: unknown name or key, wrong type or range.
            InrvidError: a package's class has failed.
        """
        config = self.validate(data)
        entry, component = self.entry(config.type), self.component(config.type)
        try:
            return component(config, **context)
        except (InrvidError, OSError, ImportError, MemoryError):  # reported better elsewhere
            raise
        except Exception as error:
            if not entry.is_plugin or "out of memory" in str(error):
                raise
            raise InrvidError(
                f"{self.noun} '{entry.name}' of {entry.package} {entry.version} ({entry.target}) cannot be made: "
                f"{_told(error)}{_remedy(entry)}"
            ) from error

    def json_schema(self) -> dict[str, Any]:
        """A JSON Schema that admits every installed component of this kind.

        A component may have another of its own kind: there, any mapping is admitted.
        """
        if self._describing:
            return {"type": "object"}
        self._describing = True
        try:
            choices = list(self._schemas())
        finally:
            self._describing = False
        return {"anyOf": choices} if choices else {"not": {}}  # none is installed: nothing is admitted

    def _schemas(self) -> Iterator[dict[str, Any]]:
        for name in self.names():
            try:
                schema = inline_refs(self.config_class(name).model_json_schema())
            except Exception:  # a plugin's own code; `plugins list` reports those that fail to import
                if name in self.built_in:
                    raise
                continue
            schema["title"] = name
            schema["properties"]["type"] = {"const": name}
            schema.pop("required", None)  # a recipe that extends another leaves out what it shares, the type too
            yield schema


@functools.cache
def plugins(kind: str) -> dict[str, list[Entry]]:
    """What packages claim, by name, including names of the library's own, which they do not get."""
    found: dict[str, list[Entry]] = {}
    for point in importlib.metadata.entry_points(group=PLUGIN_GROUP):
        point_kind, _, name = point.name.partition(".")
        if point_kind != kind or not name:
            continue
        entry = Entry(name, point.value, *package_of(point), misfit(point.dist))
        if entry not in found.setdefault(name, []):
            found[name].append(entry)
    return found


def _check_config(component: type, told: str, remedy: str) -> type[PartConfig]:
    """The class's `Config`. Raises InrvidError if it has none."""
    config = getattr(component, "Config", None)
    if not (isinstance(config, type) and issubclass(config, PartConfig)):
        raise InrvidError(f"{told} has no `Config` derived from PartConfig{remedy}")
    return config


def _load(target: str, entry: Entry, noun: str) -> Any:
    module, _, attribute = target.partition(":")
    try:
        return getattr(importlib.import_module(module), attribute)
    except (Exception, SystemExit) as error:
        if not entry.is_plugin:
            raise
        raise InrvidError(
            f"{noun} '{entry.name}' comes from {entry.package} {entry.version}, which failed to import ({target}): "
            f"{_told(error)}{_remedy(entry)}"
        ) from error


def _remedy(entry: Entry, of_author: str = "--debug shows where") -> str:
    return f"\n  if it is yours: {of_author}; else upgrade or uninstall it: pip install -U {entry.package}"


def _told(error: BaseException) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"


REGISTRIES: dict[str, Registry] = {
    kind: Registry(kind, noun)
    for kind, noun in {
        "coords": "coordinate encoding",
        "motions": "motion",
        "generators": "generator",
        "discriminators": "discriminator",
        "augments": "augmentation",
        "time_samplers": "time sampler",
        "losses": "loss",
        "datasets": "data set",
        "detectors": "detector",
        "metrics": "metric",
        "callbacks": "callback",
    }.items()
}
"""All registries by kind."""


def registry(kind: str) -> Registry:
    """The registry of `kind`. Raises InrvidError: there is no such kind."""
    if kind not in REGISTRIES:
        raise InrvidError(
            f"no kind of component named '{kind}'.{did_you_mean(kind, REGISTRIES)}\n"
            f"  available: {', '.join(REGISTRIES)}"
        )
    return REGISTRIES[kind]


@dataclass(frozen=True)
class PartOf:
    """Marks a field that holds the configuration of a component of the registry `kind`."""

    kind: str

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> CoreSchema:
        def check(value: Any) -> PartConfig:
            if isinstance(value, PartConfig):
                return value
            try:
                return registry(self.kind).validate(value)
            except ConfigError as error:  # reported with their paths by `problems_of`
                # pydantic's message must be valid text; what is shown is taken from the error
                raise PydanticCustomError("nested", "of a part", {"error": error}) from None

        return core_schema.no_info_plain_validator_function(
            check,
            serialization=core_schema.plain_serializer_function_ser_schema(lambda part: part.model_dump(mode="json")),
        )

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict:
        return registry(self.kind).json_schema()


def part_of(annotation: Any) -> PartOf | None:
    """The `PartOf` mark of a field, also below `Optional`."""
    for item in (annotation, *get_args(annotation)):
        if isinstance(item, PartOf):
            return item
        for inner in get_args(item):
            if isinstance(inner, PartOf):
                return inner
    return None


def parts_in(config: BaseModel) -> Iterator[tuple[str, PartConfig]]:
    """(kind, configuration) of each component that a validated configuration names, and of those within them."""
    for key in type(config).model_fields:
        mark, value = field_part(type(config), key), getattr(config, key)
        for item in value if isinstance(value, tuple) else (value,):
            if mark and isinstance(item, PartConfig):
                yield mark.kind, item
            if isinstance(item, BaseModel):
                yield from parts_in(item)


def field_part(model: type[BaseModel], key: str) -> PartOf | None:
    field = model.model_fields.get(key)
    if field is None:
        return None
    return next((m for m in field.metadata if isinstance(m, PartOf)), None) or part_of(field.annotation)
