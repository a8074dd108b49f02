"""Pages of the interface, by mkdocstrings: what users, packages and tests import, by its public names."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterator
from types import ModuleType

import inrvid
import inrvid.kernels
import inrvid.plugins
import inrvid.testing

WHOLE = {
    "applications": (
        "inrvid.applications",
        "generate interpolate project predict explore edit.directions edit.closed_form edit.attribute edit.guided "
        "edit.video analyze.run analyze.finding latents_file similarity",
    ),
    "evaluation": ("inrvid.evaluation", "own_clips distances evaluate record protocol leaderboard nearest traps"),
}
"""Page → a package, and those of its modules that are shown with all public names."""


def pages() -> dict[str, str]:
    """Markdown by place in docs/."""
    whole = {name: _of_modules(*about) for name, about in WHOLE.items()}
    names = {"inrvid": inrvid, "plugins": inrvid.plugins, "testing": inrvid.testing, "kernels": inrvid.kernels}
    return {f"api/{name}.md": text for name, text in ({n: _of_names(m) for n, m in names.items()} | whole).items()}


def _of_names(module: ModuleType) -> str:
    """A page of what a module offers by name, wherever it is defined."""
    return "\n".join([f"# {module.__name__}\n", _introduced(module), "", *map("\n".join, _entries(module))])


def _introduced(module: ModuleType) -> str:
    return inspect.getdoc(module) or ""


def _entries(module: ModuleType) -> Iterator[list[str]]:
    elsewhere = set() if module is inrvid else set(inrvid.__all__)
    for name in module.__all__:
        if name in elsewhere:
            yield [f"## {name}\n", f"[`inrvid.{name}`](inrvid.md#{home(inrvid, name)})\n"]
        elif not name.startswith("__"):
            yield ["::: " + home(module, name), "    options: {heading_level: 2, show_root_heading: true}\n"]


def home(module: ModuleType, name: str) -> str:
    """Dotted path of where a public name is defined."""
    places = getattr(module, "_HOMES", {})
    if name in places:
        return f"{places[name]}.{name}"
    return f"{getattr(module, name).__module__}.{name}"


def _of_modules(package: str, modules: str) -> str:
    parts = [f"# {package}\n", _introduced(importlib.import_module(package))]
    for module in modules.split():
        parts += [f"\n## {module} {{ #{module.replace('.', '-')} }}\n", f"::: {package}.{module}\n"]
    return "\n".join(parts)
