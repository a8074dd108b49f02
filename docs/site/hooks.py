"""What mkdocs calls: pages that are generated, and files of the repository that pages link to, join those of docs/.

- `components`, `recipe_keys`, `models`, `api` make pages, written as if they lay in docs/;
- `outside` finds links that leave docs/ and brings what they lead to.

In the navigation of mkdocs.yml a name that ends in a slash stands for all pages below that folder.
"""

from __future__ import annotations

import logging
import re
from typing import Any

import api
import components
import models
import outside
import recipe_keys
from mkdocs.structure.files import File, Files, InclusionLevel

ANSWERS = ("own_videos.md", "plugins.md", "trouble.md")
"""Pages that a question is looked for in first."""

log = logging.getLogger("mkdocs.hooks.inrvid")

generated: dict[str, str] = {}
"""Markdown of the pages that are made in this build, by their place in docs/."""
brought: dict[str, outside.Brought] = {}
"""What is not in docs/ and is linked to, by its place in the site."""


def on_config(config: Any) -> None:
    generated.clear()
    brought.clear()
    generated.update({**components.pages(), **recipe_keys.pages(), **models.pages(), **api.pages()})
    brought.update(outside.brought(generated))
    config.nav = _filled(config.nav)


def _filled(nav: Any) -> Any:
    if isinstance(nav, list):
        return [entry for item in nav for entry in (_below(item) or [_filled(item)])]
    if isinstance(nav, dict):
        return {title: _filled(inner) for title, inner in nav.items()}
    return _below(nav) or nav


def _below(item: Any) -> list[str]:
    """Pages below a folder, if that is what an entry of the navigation is."""
    if not (isinstance(item, str) and item.endswith("/")):
        return []
    pages = [*generated, *sorted(place for place in brought if place.endswith(".md"))]
    return [page for page in pages if page.startswith(item)]


def on_files(files: Files, config: Any) -> Files:
    for place, markdown in generated.items():
        files.append(File.generated(config, place, content=markdown))
    named = set(_names(config.nav))
    for place, file in brought.items():
        level = InclusionLevel.UNDEFINED if place in named else InclusionLevel.NOT_IN_NAV
        what = {"content": file.text} if file.text is not None else {"abs_src_path": str(file.path)}
        files.append(File.generated(config, place, inclusion=level, **what))
    return files


def _names(nav: Any) -> list[str]:
    inner = nav.values() if isinstance(nav, dict) else nav if isinstance(nav, list) else None
    return [nav] if inner is None else [name for part in inner for name in _names(part)]


def _weighed_for_search(place: str, meta: Any) -> None:
    """What answers comes first: not files of the repository, whose tags would, nor every name of the API."""
    meta.pop("tags", None)
    if place in brought:
        meta["search"] = {"exclude": True}
    elif place.startswith("api/"):
        meta["search"] = {"boost": 0.2}
    elif place in ANSWERS:
        meta["search"] = {"boost": 1.5}


def on_page_markdown(markdown: str, page: Any, config: Any, files: Files) -> str:
    place = page.file.src_uri
    _weighed_for_search(place, page.meta)
    source = brought[place].path if place in brought else outside.DOCS / place
    for target in outside.missing(markdown, source):
        log.warning(f"{place}: nothing lies at '{target}'")
    return outside.rewritten(outside.opened(_linked(markdown)), source, place)


def _linked(markdown: str) -> str:
    """Links to generated pages, which lead nowhere on a code host and are only text there."""
    return re.sub(r"<!-- site: (\S+) -->(.+?)<!-- -->", r"[\2](\1)", markdown)
