"""Packages use the public contract alone: `inrvid`, `inrvid.plugins`, and `inrvid.testing` in their tests."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import get_origin

import pytest

import inrvid
from inrvid import plugins, testing
from inrvid.starter.make import KINDS

from ..starting import made

PACKAGES = Path(__file__).parents[2] / "plugins"
PUBLIC = {"inrvid": inrvid, "inrvid.plugins": plugins, "inrvid.testing": testing}


def imports(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """(module, name) of everything of the library that is imported, wherever in the file; '' for a whole module."""
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.ImportFrom)
            and not node.level
            and node.module
            and node.module.split(".")[0] == "inrvid"
        ):
            yield from ((node.module, alias.name) for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names if alias.name.split(".")[0] == "inrvid")


def private(files: list[Path]) -> list[str]:
    """What files use of the library that is not public: 'file: module.name'."""
    found = []
    for file in files:
        for module, name in imports(ast.parse(file.read_text())):
            is_public = module in PUBLIC and (
                not name or name in PUBLIC[module].__all__ or f"{module}.{name}" in PUBLIC
            )
            is_for_tests = module == "inrvid.testing" and "tests" not in file.parts
            found += [] if is_public and not is_for_tests else [f"{file.name}: {module}.{name}".rstrip(".")]
    return found


@pytest.mark.parametrize("package", sorted(PACKAGES.glob("*/pyproject.toml")), ids=lambda path: path.parent.name)
def test_packages_use_what_is_public(package):
    files = sorted(package.parent.rglob("*.py"))
    assert files
    assert private(files) == []


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_made_uses_what_is_public(kind, tmp_path):
    assert private(sorted(made(tmp_path / "inrvid-own", kind).rglob("*.py"))) == []


def test_what_is_private_is_found(tmp_path):
    file = tmp_path / "own.py"
    file.write_text(
        "import inrvid.motion.base\nfrom inrvid.layers.linear import EqLinear\nfrom inrvid.plugins import EqLinear\n"
        "def f():\n    from inrvid.plugins import _HOMES\n    from inrvid import load_recipe, testing\n"
        "from inrvid.testing import conformance\nfrom .inrvid import x\nimport inrvid_own\n"
    )
    assert private([file]) == [
        "own.py: inrvid.motion.base",
        "own.py: inrvid.layers.linear.EqLinear",
        "own.py: inrvid.testing.conformance",
        "own.py: inrvid.plugins._HOMES",
    ]


@pytest.mark.parametrize("module", PUBLIC.values(), ids=PUBLIC)
def test_public_names_exist_and_are_sorted(module):
    assert [name for name in module.__all__ if not hasattr(module, name)] == []
    assert len(set(module.__all__)) == len(module.__all__)
    assert not [name for name in module.__all__ if name.startswith("_") and not name.startswith("__")]


def test_public_classes_and_functions_are_documented():
    """Names of types (`Count`) and constants stand where they are defined, with a line of their own."""
    for module in (plugins, testing):
        for name in module.__all__:
            thing = getattr(module, name)
            if inspect.isfunction(thing) or (inspect.isclass(thing) and get_origin(thing) is None):
                assert (thing.__doc__ or "").strip(), f"{module.__name__}.{name} has no docstring"
