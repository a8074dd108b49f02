"""Reading recipe files: YAML, with the line of every key; finding them by name."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from .errors import InrvidError, did_you_mean

KeyPath = tuple[str, ...]


@dataclasses.dataclass
class Layer:
    """What one file, or the command line, says; and where it says each key ("file:line")."""

    data: dict[str, Any]
    origins: dict[KeyPath, str]
    name: str
    installed: bool = False
    """Whether the library itself brought it."""

    def origin(self, path: KeyPath) -> str:
        """Where `path`, or the nearest key above it, is written."""
        for length in range(len(path), -1, -1):
            if path[:length] in self.origins:
                return self.origins[path[:length]]
        return ""


class _Loader(yaml.SafeLoader):
    """YAML 1.1's safe subset, in which 1e-3 is a number (1.1 wants 1.0e-3)."""


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?(\d[\d_]*)(\.[\d_]*)?[eE][-+]?\d+$"),
    list("-+0123456789"),
)


def recipe_folders() -> list[Path]:
    """Where installed recipes are: in a wheel beside this file, in a clone beside the package."""
    here = Path(__file__).parent
    return [folder for folder in (here / "_recipes", here.parent / "recipes") if (folder / "quickstart.yaml").exists()][
        :1
    ]


def installed_recipes() -> dict[str, Path]:
    """Path of each installed recipe by name."""
    return {path.stem: path for folder in recipe_folders() for path in sorted(folder.glob("*.yaml"))}


def find_recipe(source: str | Path, folder: Path = Path(), origin: str = "") -> Path:
    """The file that a path (relative to `folder`) or a name stands for.

    Raises:
        InrvidError: there is none, with the nearest name.
    """
    prefix = f"{origin}  extends: " if origin else ""
    path = folder / source
    if path.is_file():
        return path
    installed = installed_recipes()
    name = str(source)
    if name in installed:
        return installed[name]
    if path.is_dir():
        raise InrvidError(
            f"{prefix}{source}: this is a folder; a recipe is a YAML file, or the name of an installed one"
        )
    stem = Path(name).stem
    if Path(name).suffix and stem in installed:
        raise InrvidError(f"{prefix}{source}: no such file. A recipe of that name is installed: write '{stem}'")
    raise InrvidError(
        f"{prefix}no recipe '{source}': neither a file nor an installed recipe.{did_you_mean(stem, installed)}\n"
        "  inrvid recipe list shows what is installed"
    )


def read_layer(path: Path) -> Layer:
    """A file's keys and their lines. Raises InrvidError if it cannot be read or is not a mapping."""
    shown = _shown(path)
    try:
        data, origins = _parse(path.read_text(), shown)
    except (OSError, UnicodeDecodeError) as error:
        raise InrvidError(f"{shown}: cannot be read: {error}") from None
    data.setdefault("name", path.stem)  # not inherited: an experiment that extends another is not that one
    installed = path.resolve() in {installed.resolve() for installed in installed_recipes().values()}
    return Layer(data, origins, path.stem, installed)


def read_overrides(overrides: Iterable[str]) -> Layer:
    """`key.path=value` strings as a layer. Raises InrvidError for one without '='."""
    layer = Layer({}, {}, "")
    for text in overrides:
        key, equals, value = text.partition("=")
        path = tuple(key.strip().split("."))
        if not equals or not all(path):
            raise InrvidError(f"--set {text}: expected key.path=value, such as train.batch_size=16")
        node = layer.data
        for name in path[:-1]:
            node = node.setdefault(name, {})
            if not isinstance(node, dict):
                raise InrvidError(f"--set {text}: '{name}' was set to a value before")
        try:
            node[path[-1]] = yaml.load(value, _Loader)
        except yaml.YAMLError:
            raise InrvidError(f"--set {text}: the value is not YAML") from None
        layer.origins |= {path[:length]: "--set" for length in range(1, len(path) + 1)}
    return layer


def _parse(text: str, shown: str) -> tuple[dict[str, Any], dict[KeyPath, str]]:
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        origins: dict[KeyPath, str] = {(): shown}
        data = _construct(loader, node, (), origins, shown) if node else {}
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise InrvidError(
            f"{shown}:{mark.line + 1 if mark else 1}  not YAML: {error.problem or error.context}"
        ) from None
    except yaml.YAMLError as error:
        raise InrvidError(f"{shown}: not YAML: {error}") from None
    finally:
        loader.dispose()
    if not isinstance(data, dict):
        raise InrvidError(f"{shown}:1  a recipe is a mapping of keys, this is a {type(data).__name__}")
    return data, origins


def _construct(loader: _Loader, node: yaml.Node, path: KeyPath, origins: dict[KeyPath, str], shown: str) -> Any:
    if isinstance(node, yaml.MappingNode):
        loader.flatten_mapping(node)
        result: dict[Any, Any] = {}
        for key_node, value_node in node.value:
            key = loader.construct_object(key_node)
            inner = (*path, str(key))
            if key in result:
                raise InrvidError(f"{shown}:{key_node.start_mark.line + 1}  {'.'.join(inner)}: written twice")
            origins[inner] = f"{shown}:{key_node.start_mark.line + 1}"
            result[key] = _construct(loader, value_node, inner, origins, shown)
        return result
    if isinstance(node, yaml.SequenceNode):
        items = []
        for i, item in enumerate(node.value):
            inner = (*path, str(i))
            origins[inner] = f"{shown}:{item.start_mark.line + 1}"
            items.append(_construct(loader, item, inner, origins, shown))
        return items
    return loader.construct_object(node, deep=True)


def _shown(path: Path) -> str:
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)
