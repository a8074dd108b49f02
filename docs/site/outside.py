"""Files of the repository beside docs/: pages link to them as on a code host, and they are part of the site.

A link that leaves docs/ is followed and what it leads to gets a place below `repository/`: Markdown becomes a page,
whose links are followed too; a folder is its README.md; source and recipes become pages that show them; pictures and
videos are copied.
"""

from __future__ import annotations

import os.path
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"

SHOWN = {".py": "python", ".yaml": "yaml", ".toml": "toml", ".cff": "yaml", ".txt": "text", "": "text"}
"""Suffix → language of files that become pages that show them."""
INSTEAD = {"README.md": "index.md", "plugins": "plugins.md", "recipes": "recipes.md", "docs": "index.md"}
"""What a page of docs/ says already."""

UNFOUND = "---\nsearch: {exclude: true}\n---\n\n"
"""On top of pages that a search does not look into."""

_CODE = re.compile(r"(^ *```.*?^ *```$|`[^`\n]+`)", re.DOTALL | re.MULTILINE)
_TARGET = re.compile(r"""(\]\(<?|\b(?:src|href)=")([^)\s">]+)""")


class Brought(NamedTuple):
    path: Path
    text: str | None = None
    """Of a page; None: the file as it is."""


def brought(pages: Mapping[str, str]) -> dict[str, Brought]:
    """All that `pages` (Markdown by place) and those of docs/ lead to, and what that leads to, by place."""
    waiting = [(DOCS / place, markdown) for place, markdown in pages.items()]
    waiting += [(path, path.read_text("utf-8")) for path in sorted(DOCS.rglob("*.md"))]
    found: dict[str, Brought] = {}
    while waiting:
        source, markdown = waiting.pop(0)
        for target in targets(markdown, source):
            place = _place(target)
            if target.exists() and place.startswith("repository/") and place not in found:
                found[place] = _brought(target)
                if (text := found[place].text) is not None:
                    waiting.append((found[place].path, text))
    return found


def rewritten(markdown: str, source: Path, place: str) -> str:
    """`markdown` of the file `source`, with links as they are from its place in the site."""

    def moved(match: re.Match[str]) -> str:
        target, anchor = _target(match[2], source)
        if target is None or not target.exists():
            return match[0]
        return match[1] + os.path.relpath(_place(target), Path(place).parent) + anchor

    return _outside_code(markdown, lambda text: _TARGET.sub(moved, text))


def missing(markdown: str, source: Path) -> list[str]:
    """Files of the repository that HTML in a page names and that are not there (mkdocs looks at Markdown's alone)."""
    html = "".join(_CODE.split(markdown)[::2])
    named = re.findall(r'\b(?:src|href)="([^"#]+)', html)
    return [name for name in named if (target := _target(name, source)[0]) is not None and not target.exists()]


def opened(markdown: str) -> str:
    """With Markdown inside what folds rendered, as code hosts do."""
    return markdown.replace("<details>", '<details markdown="1">')


def targets(markdown: str, source: Path) -> Iterator[Path]:
    for text in _CODE.split(markdown)[::2]:
        for match in _TARGET.finditer(text):
            target, _ = _target(match[2], source)
            if target is not None:
                yield target


def _target(link: str, source: Path) -> tuple[Path | None, str]:
    """(the file, #anchor) of a link; None: it is of another host, or within its page."""
    name, mark, anchor = link.partition("#")
    if not name or re.match(r"[a-z]+:", name):
        return None, ""
    path = Path(os.path.normpath(source.parent / name))
    if not path.is_relative_to(ROOT):
        return None, ""
    return (path / "README.md" if (path / "README.md").is_file() else path), mark + anchor


def _place(target: Path) -> str:
    name = target.relative_to(ROOT).as_posix()
    if name in INSTEAD:
        return INSTEAD[name]
    shown = target.is_dir() or target.suffix in SHOWN
    if target.is_relative_to(DOCS) and not shown:
        return target.relative_to(DOCS).as_posix()
    return f"repository/{name}{'.md' if shown else ''}"


def _brought(target: Path) -> Brought:
    name = target.relative_to(ROOT).as_posix()
    if target.is_dir():
        names = "\n".join(sorted(path.name for path in target.iterdir() if not path.name.startswith((".", "__"))))
        return Brought(target, f"{UNFOUND}# {name}\n\n```text\n{names}\n```\n")
    if target.suffix == ".md":
        return Brought(target, target.read_text("utf-8"))
    if target.suffix in SHOWN:
        return Brought(
            target, f"{UNFOUND}# {name}\n\n```{SHOWN[target.suffix]}\n{target.read_text('utf-8').rstrip()}\n```\n"
        )
    return Brought(target)


def _outside_code(markdown: str, change: Callable[[str], str]) -> str:
    parts = _CODE.split(markdown)
    return "".join(part if i % 2 else change(part) for i, part in enumerate(parts))
