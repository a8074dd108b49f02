"""Reading recipe files: YAML, with the line of every key; finding them by name."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from .. import plain_yaml
from ..errors import InrvidError, did_you_mean
from ..files import expanded, read_text
from ..packaged_files import PackagedFiles
from ..packages import missing
from ..plain_yaml import KeyPath
from ..text import file_name, is_text

LARGEST = 4 * 2**20
"""Bytes of a recipe."""

Override = str | tuple[str, Any]
"""`key.path=value` with the value in YAML, as after `--set`; or (key.path, value)."""

Overrides = Iterable[Override] | Mapping[str, Any] | str
"""Several overrides, a mapping of key.path to value, or a single override as text."""


@dataclasses.dataclass
class Layer:
    """What one file, or the command line, says; and where it says each key ("file:line")."""

    data: dict[str, Any]
    origins: dict[KeyPath, str]
    name: str
    installed: bool = False
    """Whether it came with the library, or with a package."""

    def origin(self, path: KeyPath) -> str:
        """Where `path`, or the nearest key above it, is written."""
        for length in range(len(path), -1, -1):
            if path[:length] in self.origins:
                return self.origins[path[:length]]
        return ""


HOMES = (Path(__file__).parents[1] / "_recipes", Path(__file__).parents[2] / "recipes")
"""Where the library's own recipes are: inside the package in a wheel, beside it in a clone."""

RECIPES = PackagedFiles(
    "inrvid.recipes", "recipe", next((home for home in HOMES if (home / "quickstart.yaml").exists()), HOMES[0])
)
"""All installed recipes."""


def own_recipes() -> dict[str, Path]:
    """Path of each of the library's own recipes by name."""
    return {name: file.path for name, file in RECIPES.own().items()}


def find_recipe(source: str | Path, folder: Path = Path(), origin: str = "") -> Path:
    """The file that a path (relative to `folder`) or a name stands for.

    Raises:
        InrvidError: there is none, with the nearest name; or two packages claim the name.
    """
    prefix = f"{origin}  extends: " if origin else ""
    path = folder / expanded(source)
    exists = _exists(path, prefix)
    if exists and not path.is_dir():
        return path
    name = str(source)
    if name in ("", "."):
        raise InrvidError(f"{prefix}give a recipe's file, or the name of an installed one (inrvid recipe list)")
    installed = RECIPES.find(name)
    if installed is not None:
        return installed.path
    if exists:
        raise InrvidError(
            f"{prefix}{source}: this is a folder; a recipe is a YAML file, or the name of an installed one"
            "   (a model's folder: VideoGenerator.from_pretrained)"
        )
    stem, known = Path(name).stem, RECIPES.claims()
    if Path(name).suffix and stem in known:
        raise InrvidError(f"{prefix}{source}: no such file. A recipe of that name is installed: write '{stem}'")
    hint = _lacked_by_its_run(stem) or "inrvid recipe list shows what is installed; a package that is not may bring it"
    raise InrvidError(
        f"{prefix}no recipe '{source}': neither a file nor an installed recipe.{did_you_mean(stem, known)}\n  {hint}"
    )


def _lacked_by_its_run(name: str) -> str:
    """What the last run of a recipe of that name requires but is not installed, in words; empty: nothing, or no run."""
    for path in sorted(Path("runs", name).glob("*/recipe.yaml"), reverse=True)[:1]:
        try:
            requires = read_layer(path).data.get("requires")
        except InrvidError:
            return ""
        texts = [text for text in requires if isinstance(text, str)] if isinstance(requires, list) else []
        return "".join(f"its run {path.parent} requires {wrong}" for wrong in list(missing(texts).values())[:1])
    return ""


def read_layer(path: Path) -> Layer:
    """A file's keys and their lines. Raises InrvidError if it cannot be read or is not a mapping."""
    shown = _shown(path)
    try:
        data, origins = plain_yaml.parse(read_text(path, LARGEST), shown)
    except OSError as error:
        raise InrvidError(f"{shown}: cannot be read: {error.strerror or error}") from None
    data = {} if data is None else data
    if not isinstance(data, dict):
        raise InrvidError(f"{shown}:1  a recipe is a mapping of keys, this is a {type(data).__name__}")
    data.setdefault("name", file_name(path.stem))  # not inherited: an experiment that extends another is not that one
    installed = any(path.resolve() == file.path.resolve() for file in RECIPES.claims().get(path.stem, []))
    return Layer(data, origins, file_name(path.stem), installed)


def read_overrides(overrides: Overrides) -> Layer:
    """Overrides as a layer: several, one as text, or a mapping of them.

    Raises:
        InrvidError: one without '=', or whose value is not YAML.
    """
    layer = Layer({}, {}, "")
    if isinstance(overrides, str):
        overrides = (overrides,)
    elif isinstance(overrides, Mapping):
        overrides = overrides.items()
    for override in overrides:
        key, value, text = _read_override(override)
        path = tuple(key.strip().split("."))
        if not all(path) or not is_text(key):
            raise InrvidError(f"{text}: expected key.path=value, such as train.batch_size=16")
        node = layer.data
        for name in path[:-1]:
            node = node.setdefault(name, {})
            if not isinstance(node, dict):
                raise InrvidError(f"{text}: '{name}' was set to a value before")
        node[path[-1]] = value
        layer.origins |= {path[:length]: "--set" for length in range(1, len(path) + 1)}
    return layer


def _read_override(override: Override) -> tuple[str, Any, str]:
    """(key, value, how it was written, for messages)."""
    if not isinstance(override, str):
        return *override, f"{override[0]}={override[1]}"
    text = f"--set {override if len(override) < 200 else override[:197] + '...'}"
    key, equals, value = override.partition("=")
    if not equals:
        raise InrvidError(f"{text}: expected key.path=value, such as train.batch_size=16")
    try:
        return key, plain_yaml.parse_value(value), text
    except InrvidError as error:
        raise InrvidError(f"{text}: the value is {str(error).partition('  ')[2] or 'not YAML'}") from None


def _exists(path: Path, prefix: str) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # too long, a NUL, no text
        shown = str(path) if len(str(path)) < 80 else f"{str(path)[:77]}..."
        raise InrvidError(f"{prefix}{shown!r} is not the name of a recipe or a file") from None


def _shown(path: Path) -> str:
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)
