"""Pages of the components: a page a kind, from the registry, docstrings and configurations; plugins/ as data."""

from __future__ import annotations

import ast
import inspect
import json
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import api
import tomllib
import yaml
from pydantic import BaseModel

import inrvid
import inrvid.plugins
from inrvid.inventory import keys_of
from inrvid.packages import OURS
from inrvid.recipe.fit import DERIVED
from inrvid.registry import PLUGIN_GROUP, REGISTRIES, Registry

ROOT = Path(__file__).resolve().parents[2]
KEYS_SHOWN = 3
"""Of a configuration, in an example."""


class Kind(NamedTuple):
    title: str
    place: str
    """In a recipe; `[]`: one of several."""
    base: str
    """In `inrvid.plugins`."""
    what: str


KINDS = {
    "coords": Kind(
        "Coordinate encodings", "generator.coords", "CoordinateEncoding", "How a point of the plane becomes features."
    ),
    "motions": Kind(
        "Motions",
        "generator.motion",
        "Motion",
        "How a time becomes features: a trunk that all places of a generator share, and a head for each.",
    ),
    "generators": Kind("Generators", "generator", "VideoGenerator", "Latents → φ → frames."),
    "discriminators": Kind(
        "Discriminators", "discriminator", "Discriminator", "Frames and their times → logits, by head."
    ),
    "augments": Kind(
        "Augmentations", "augment", "Augment", "What is done to frames, real and generated, before they are judged."
    ),
    "time_samplers": Kind(
        "Time samplers", "time_sampler", "TimeSampler", "Which times of a video the discriminator sees."
    ),
    "losses": Kind("Losses", "loss", "AdversarialLoss", "The game: its phases, and the loss of each."),
    "datasets": Kind("Data sets", "data", "VideoDataset", "Where videos come from."),
    "metrics": Kind("Metrics", "eval.metrics[]", "Metric", "Features of real and of generated clips → scores."),
    "detectors": Kind("Detectors", "eval.metrics[].detector", "Detector", "Clips → the features that metrics compare."),
    "callbacks": Kind(
        "Callbacks",
        "train.callbacks[]",
        "Callback",
        "What happens beside a training: at its beginning, after steps, at checkpoints, at its end.",
    ),
}

PATHS = {"videos": "my_videos", "ucf101": "UCF-101", "frames": "my_frames", "zip": "my_videos.zip"}
"""Of data sets, in examples."""


def pages() -> dict[str, str]:
    """Markdown by place in docs/, the overview first."""
    offered = list(packaged())
    return {
        "components/index.md": _overview(offered),
        "packages/index.md": _packages(offered),
        **{f"components/{kind}.md": _page(kind, [part for part in offered if part.kind == kind]) for kind in KINDS},
    }


def _overview(offered: list[Packaged]) -> str:
    rows = ["| kind | in a recipe | built in | in packages |", "| --- | --- | --- | --- |"]
    for kind, about in KINDS.items():
        own = ", ".join(f"[{name}]({kind}.md#{name})" for name in REGISTRIES[kind].built_in)
        others = ", ".join(f"[{part.name}]({kind}.md#{part.name})" for part in offered if part.kind == kind)
        rows.append(f"| [{about.title}]({kind}.md) | `{about.place}` | {own} | {others} |")
    return f"""# Components

All that a recipe can name by `type`. What generators need of other parts, and what these need of them, is filled in:
every motion goes with every generator, every generator with every discriminator. `inrvid plugins list` shows what is
installed, `inrvid plugins info NAME` every key of one. These pages are made of the same source: the registry, and the
classes that it names.

{chr(10).join(rows)}
"""


def _packages(offered: list[Packaged]) -> str:
    rows = ["| package | what it is | parts | recipes |", "| --- | --- | --- | ---: |"]
    for file in sorted(ROOT.glob("plugins/*/pyproject.toml")):
        project, folder = tomllib.loads(file.read_text("utf-8"))["project"], file.parent
        parts = ", ".join(
            f"{REGISTRIES[part.kind].noun} [{part.name}](../components/{part.kind}.md#{part.name})"
            for part in offered
            if part.package == folder.name
        )
        recipes = len([*folder.glob("*/recipes/*.yaml")])
        link = f"[{folder.name}](../../plugins/{folder.name})"
        rows.append(f"| {link} | {project['description']} | {parts} | {recipes} |")
    return f"""# The packages

They lie in `plugins/` of the repository, beside the library, and are installed by their folders
(`pip install ./plugins/NAME`). [What each is for, and how to write another](../plugins.md).

{chr(10).join(rows)}
"""


def _page(kind: str, offered: list[Packaged]) -> str:
    about, kinds = KINDS[kind], REGISTRIES[kind]
    base = f"The base class is [`{about.base}`](../api/{_page_of(about.base)}); "
    base += "[a package](../plugins.md) can bring more."
    parts = [f"# {about.title}\n\n{about.what} In a recipe: `{about.place}`. {base}\n"]
    own = [_component(kinds, name) for name in _installed(kinds)]
    parts += own or ["None is built in.\n"]
    return "\n".join([*parts, *_further(offered)])


def _page_of(name: str) -> str:
    """Where the interface's pages have a name of `inrvid.plugins`."""
    page, module = ("inrvid", inrvid) if name in inrvid.__all__ else ("plugins", inrvid.plugins)
    return f"{page}.md#{api.home(module, name)}"


def _installed(kinds: Registry) -> list[str]:
    return [*kinds.built_in, *(name for name in kinds.names() if name not in kinds.built_in)]


def _component(kinds: Registry, name: str) -> str:
    entry, found = kinds.entry(name), kinds.component(name)
    module = sys.modules[found.__module__]
    lines = [f"## {name} {{ #{name} }}", "", described(found)]
    if _parts_in(kinds, found.__module__) == 1:  # what the file says beyond its first paragraph is of the part
        lines += ["", described(module).partition("\n\n")[2]]
    source = kinds.source(name)
    file = f"`{entry.package}` {entry.version}" if entry.package != OURS else _file(module)
    lines += ["", f"{'Source: ' + source if source else 'No paper'}. File: {file}.", ""]
    lines += [*table(kinds.config_class(name)), "", "```yaml", example(kinds.kind, name).rstrip(), "```", ""]
    return "\n".join(lines)


def _parts_in(kinds: Registry, module: str) -> int:
    return sum(kinds.entry(name).target.startswith(module + ":") for name in kinds.built_in)


def _file(module: Any) -> str:
    path = Path(module.__file__).relative_to(ROOT).as_posix()
    return f"[{path}](../../{path})"


def described(thing: Any) -> str:
    """A docstring as Markdown: what it raises is left to the interface's pages, and blank lines stand around lists."""
    text = inspect.getdoc(thing) or ""
    text = re.sub(r"\n(Args|Raises|Attributes):\n(?: .*\n?|\n)*", "\n", text + "\n")
    text = re.sub(r"(\n(?!- |  ).+)\n- ", r"\1\n\n- ", text)
    return re.sub(r"(\n- .*(?:\n  .*)*)\n(?=[^\s-])", r"\1\n\n", text).strip()


def table(config: type[BaseModel], without: Iterable[str] = ()) -> Iterator[str]:
    """The keys of a configuration: value, default, what it is."""
    keys = [key for key in keys_of(config) if key["name"] not in without]
    if not keys:
        yield "It has no keys."
        return
    yield from ("| key | value | default | |", "| --- | --- | --- | --- |")
    for key in keys:
        default = "required" if key["required"] else f"`{json.dumps(key['default'], ensure_ascii=False)}`"
        yield (
            "| "
            + " | ".join(
                text.replace("|", "\\|") for text in (f"`{key['name']}`", key["type"], default, key["description"])
            )
            + " |"
        )


def example(kind: str, name: str) -> str:
    """A recipe with the component in its place, and the first of its own keys that nothing else in a recipe decides."""
    place = KINDS[kind].place.replace("[]", "").split(".")
    decided = {rule.target for rule in DERIVED}
    config = REGISTRIES[kind].config_class(name)
    keys = [key for key in keys_of(config) if key["name"] in vars(config).get("__annotations__", {})]
    keys = [key for key in keys if (place[0], key["name"]) not in decided]
    shown = {key["name"]: key["default"] for key in keys if isinstance(key["default"], int | float | str)}
    path = {"path": PATHS[name]} if kind == "datasets" and name in PATHS else {}
    part = {"type": name, **path, **dict(list(shown.items())[:KEYS_SHOWN])}
    return yaml.safe_dump({"extends": "quickstart", **_placed(KINDS[kind].place, part)}, sort_keys=False)


def _placed(place: str, part: Any) -> dict[str, Any]:
    above, _, last = place.rpartition(".")
    if last.endswith("[]"):
        part, last = [{"type": "fvd", **part} if "type" not in part else part], last.removesuffix("[]")
    return _placed(above, {last: part}) if above else {last: part}


class Packaged(NamedTuple):
    """What a package in plugins/ declares, read without importing it."""

    kind: str
    name: str
    summary: str
    package: str


def packaged() -> Iterator[Packaged]:
    for file in sorted(ROOT.glob("plugins/*/pyproject.toml")):
        project = tomllib.loads(file.read_text("utf-8"))["project"]
        for point, target in project["entry-points"].get(PLUGIN_GROUP, {}).items():
            kind, _, name = point.partition(".")
            yield Packaged(kind, name, _summary(file.parent, target), project["name"])


def _summary(package: Path, target: str) -> str:
    module, _, name = target.partition(":")
    path = package / module.replace(".", "/")
    tree = ast.parse((path / "__init__.py" if path.is_dir() else path.with_suffix(".py")).read_text("utf-8"))
    found = next((node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == name), tree)
    return (ast.get_docstring(found) or "").split("\n")[0]


def _further(offered: list[Packaged]) -> Iterator[str]:
    if offered:
        yield "## In packages of plugins/ { #in-packages }\n"
        yield "| type | what it is | package |\n| --- | --- | --- |"
    for part in offered:
        where = f"[{part.package}](../../plugins/{part.package})"
        yield f'| <span id="{part.name}"></span>`{part.name}` | {part.summary} | {where} |'
