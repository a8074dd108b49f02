"""The rules of the house, read from the source: what may import what, and who may know a component's name."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import inrvid
from inrvid.registry import REGISTRIES, registry

PACKAGE = Path(inrvid.__file__).parent
LAYERS = [
    {
        "errors",
        "text",
        "lazy",
        "files",
        "documents",
        "packages",
        "packaged_files",
        "pretrained",
        "run_files",
        "plain_yaml",
        "config",
        "random",
        "grid",
        "transfer",
        "precision",
        "schedule",
        "slerp",
    },
    {"kernels"},
    {"layers", "registry", "inventory", "components", "weights"},
    {"coords"},
    {"motion", "latents"},
    {"generators", "discriminators", "augment", "time_samplers", "losses", "data"},
    {"recipe", "video_io"},
    {"models"},
    {"evaluation", "applications"},
    {"publishing"},
    {"training", "report"},
    {"plugins"},
    {"testing"},
    {"starter"},
    {"cli"},
    {"__main__"},
]
"""From the bottom up: a module imports from its own layer and those below, but for imports inside functions."""


def modules() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        name = ".".join(("inrvid", *(part for part in parts if part != "__init__")))
        yield name, ast.parse(path.read_text())


def imports(name: str, tree: ast.AST, *, everywhere: bool) -> Iterator[str]:
    """Modules of the package that `name` imports; at the top of the file alone, unless `everywhere`."""
    is_package = (PACKAGE.parent / Path(*name.split("."))).is_dir()
    package = name.split(".") if is_package else name.split(".")[:-1]
    nodes = ast.walk(tree) if everywhere else ast.iter_child_nodes(tree)
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and node.level:
            base = package[: len(package) - node.level + 1]
            target = ".".join([*base, *([node.module] if node.module else [])])
            yield target
            yield from (f"{target}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.startswith("inrvid"))


def homes(kind: str) -> dict[str, str]:
    """Module of each built-in component of a kind, by name."""
    kinds = registry(kind)
    return {name: kinds.entry(name).target.split(":")[0] for name in kinds.names() if not kinds.entry(name).is_plugin}


def test_no_component_imports_another_of_its_kind():
    trees = dict(modules())
    for kind in REGISTRIES:
        own = set(homes(kind).values())
        for module in own:
            others = own - {module}
            assert not others & set(imports(module, trees[module], everywhere=True)), module


def test_nobody_tests_a_component_s_name():
    names = {name: (kind, module) for kind in REGISTRIES for name, module in homes(kind).items()}
    found = []
    for module, tree in modules():
        for node in ast.walk(tree):
            if isinstance(node, ast.Compare):
                constants = [
                    c.value
                    for part in (node.left, *node.comparators)
                    for c in ast.walk(part)
                    if isinstance(c, ast.Constant)
                ]
            elif isinstance(node, ast.MatchValue):
                constants = [c.value for c in ast.walk(node) if isinstance(c, ast.Constant)]
            else:
                continue
            found += [f"{module}:{node.lineno} '{c}'" for c in constants if c in names and names[c][1] != module]
    assert found == []


def test_dependencies_point_one_way():
    rank = {name: i for i, layer in enumerate(LAYERS) for name in layer}
    found = []
    for module, tree in modules():
        parts = module.split(".")
        if len(parts) < 2:
            continue
        assert parts[1] in rank, f"{module} is in no layer"
        for target in imports(module, tree, everywhere=False):
            target_parts = target.split(".")
            if len(target_parts) > 1 and target_parts[1] in rank and rank[target_parts[1]] > rank[parts[1]]:
                found.append(f"{module} imports {target}")
    assert found == []


def test_no_cycle_between_files():
    """At the top of files: what a function imports when it is called is no part of importing the file."""
    known = dict(modules())
    arrows = {
        name: {t for t in imports(name, tree, everywhere=False) if t in known} - {name} for name, tree in known.items()
    }
    done: set[str] = set()
    while free := {name for name in arrows if name not in done and arrows[name] <= done}:
        done |= free
    assert set(arrows) - done == set()


OPENERS = {
    "inrvid.files",  # where every file is opened to be read
    "inrvid.training.processes.lock",
    "inrvid.training.checkpoint",  # a folder, to sync it
    "inrvid.training.monitor",  # to append to it
    "inrvid.cli.output",  # the null device, to write to it
}
GIVEN = {"Image", "av", "archive", "files"}
"""What opens what it is given: bytes, names that were checked, members of an open zip."""


def test_files_are_opened_in_one_place():
    """A pipe in the place of a file waits for ever, wherever it is opened."""
    found = []
    for module, tree in modules():
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call) or module in OPENERS:
                continue
            function = node.func
            if isinstance(function, ast.Attribute):
                owner = function.value.id if isinstance(function.value, ast.Name) else ""
                opens = function.attr in ("read_text", "read_bytes", "open") and owner not in GIVEN
            else:
                opens = isinstance(function, ast.Name) and function.id == "open"
            found += [f"{module}:{node.lineno}"] if opens else []
    assert found == []
