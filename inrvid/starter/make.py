"""A package with one part of any kind, that passes its checks as it is: what `inrvid plugins new` writes.

The files are templates (jinja2) in `template/`; `parts/KIND.py.j2` is the component, the rest is the same for all.
"""

from __future__ import annotations

import importlib.util
import keyword
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .. import __version__
from ..errors import InrvidError, did_you_mean
from ..files import read_text, refilling, write_text
from ..plugins import __all__ as CONTRACT
from ..recipe.file import RECIPES
from ..registry import REGISTRIES, registry

TEMPLATE = Path(__file__).parent / "template"

KINDS = {
    "motion": "motions",
    "coords": "coords",
    "generator": "generators",
    "discriminator": "discriminators",
    "augment": "augments",
    "time_sampler": "time_samplers",
    "loss": "losses",
    "dataset": "datasets",
    "detector": "detectors",
    "metric": "metrics",
    "callback": "callbacks",
}
"""What a part is called on the command line → its kind."""

FILES = {
    "pyproject.toml": "pyproject.toml",
    "README.md": "README.md",
    "LICENSE": "LICENSE",
    ".github/workflows/tests.yaml": "ci.yaml",
    "{module}/__init__.py": "init.py",
    "{module}/{name}.py": "parts/{kind}.py",
    "{module}/recipes/{recipe}.yaml": "recipe.yaml",
    "tests/test_{name}.py": "test.py",
}
"""What is written → its template."""

SECTIONS = {
    "motions": "generator:\n  motion: {{type: {name}}}",
    "coords": "generator:\n  coords: {{type: {name}}}",
    "generators": "generator: {{type: {name}}}",
    "discriminators": "discriminator: {{type: {name}}}",
    "augments": "augment: {{type: {name}}}",
    "time_samplers": "time_sampler: {{type: {name}}}",
    "losses": "loss: {{type: {name}}}",
    "datasets": "data: {{type: {name}}}",
    "detectors": "eval:\n  metrics:\n    - {{type: statistics, detector: {{type: {name}}}}}",
    "metrics": "eval:\n  metrics:\n    - type: statistics\n    - type: {name}",
    "callbacks": "train:\n  callbacks: [{{type: {name}}}]",
}
"""Where a recipe names the part."""


def make(directory: Path, kind: str, name: str | None = None) -> list[Path]:
    """Write a package to a folder that is new or empty; returns its files, relative to it. All are written or none.

    Args:
        kind: one of `KINDS`.
        name: of the component; default: the folder's, without 'inrvid-'.

    Raises:
        InrvidError: no such kind, an invalid or taken name, or a folder that is not empty.
    """
    values = _values(directory, kind, name)
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise InrvidError(f"{directory}: is there already, and not empty: give the name of a new folder")
    with refilling(directory, ()) as package:
        return [_write(package, target, template, values) for target, template in FILES.items()]


def _values(directory: Path, kind: str, name: str | None) -> dict[str, Any]:
    if kind not in KINDS:
        raise InrvidError(f"--kind {kind}: no such kind.{did_you_mean(kind, KINDS)}\n  one of: {', '.join(KINDS)}")
    package = directory.resolve().name
    if not re.fullmatch(r"[a-z][a-z0-9]*([._-][a-z0-9]+)*", package):
        raise InrvidError(
            f"{package!r} cannot be a package's name: small letters, digits and '-', such as inrvid-{KINDS[kind][:-1]}"
        )
    module = re.sub("[.-]", "_", package)
    name = module.removeprefix("inrvid_") if name is None else name
    _check_names(KINDS[kind], name, module)
    class_name = "".join(word.capitalize() for word in f"{name}_{kind}".split("_"))
    recipe = f"{name}_landscapes_32"
    _check_written(name, class_name, recipe)
    return {
        "kind": KINDS[kind],
        "noun": REGISTRIES[KINDS[kind]].noun,
        "name": name,
        "package": package,
        "module": module,
        "class": class_name,
        "recipe": recipe,
        "section": SECTIONS[KINDS[kind]].format(name=name),
        "summary": f"The quickstart with the {REGISTRIES[KINDS[kind]].noun} '{name}'",
        "version": ".".join(__version__.split(".")[:2]),
        "next_version": int(__version__.split(".")[0]) + 1,
    }


def _check_names(kind: str, name: str, module: str) -> None:
    if not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", name) or keyword.iskeyword(name) or len(name) > 60:
        raise InrvidError(f"--name {name}: small letters, digits and '_', such as my_{kind}")
    if name in registry(kind).names():
        entry = registry(kind).entry(name)
        raise InrvidError(f"--name {name}: {entry.package} has a {registry(kind).noun} of that name: give another one")
    if keyword.iskeyword(module) or importlib.util.find_spec(module) is not None:
        raise InrvidError(f"{module}: a module of that name is installed already: give the folder another name")


def _check_written(name: str, class_name: str, recipe: str) -> None:
    """Raise InrvidError if what is written under this name would share a name with something else."""
    if name == "recipes":
        raise InrvidError("--name recipes: the package's folder of recipes has that name: give another one")
    if class_name in CONTRACT:
        raise InrvidError(f"--name {name}: its class {class_name} would be one of inrvid.plugins: give another one")
    for file in RECIPES.claims().get(recipe, ()):
        raise InrvidError(f"--name {name}: {file.package} has a recipe named {recipe}: give another one")


def _write(package: Path, target: str, template: str, values: Mapping[str, Any]) -> Path:
    import jinja2

    path = Path(target.format(**values))
    text = read_text(TEMPLATE / f"{template.format(**values)}.j2")
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, keep_trailing_newline=True, autoescape=False)
    (package / path).parent.mkdir(parents=True, exist_ok=True)
    write_text(package / path, environment.from_string(text).render(values))
    return path
