"""A card to look at: as text, as a file of Markdown, or as a page."""

from __future__ import annotations

import base64
import re
from pathlib import Path

from jinja2 import Environment, PackageLoader, select_autoescape
from markupsafe import escape

from ..errors import InrvidError
from ..files import TEXT_LIMIT, read_bytes, read_text, write_text
from .card import CARD, render

TYPES = {".png": "image/png", ".jpg": "image/jpeg", ".gif": "image/gif", ".mp4": "video/mp4"}


def show(folder: Path, output: Path | None, name: str | None, edited: bool) -> str:
    """What to print: the card, or where it was written.

    Raises:
        InrvidError: no model, no card, or a file of another kind.
    """
    if edited and not (folder / CARD).is_file():
        raise InrvidError(f"{folder}: has no {CARD}: without --edited one is made from its files")
    text = read_text(folder / CARD, TEXT_LIMIT) if edited else render(folder, name)
    if output is None:
        return text
    if output.suffix == ".html":
        write_text(output, page(folder, text))
    elif output.suffix == ".md":
        write_text(output, text)
    else:
        raise InrvidError(f"-o {output}: give card.html or card.md")
    return f"{output}\n"


def page(folder: Path, text: str) -> str:
    """A card as a page with its pictures and videos embedded, as close as possible to what the Hub shows of it."""
    from markdown_it import MarkdownIt

    front, _, body = text.removeprefix("---\n").partition("\n---\n") if text.startswith("---\n") else ("", "", text)
    html = MarkdownIt("commonmark", {"html": False}).enable("table").render(_unfolded(body))
    environment = Environment(
        loader=PackageLoader("inrvid", "report/templates"), autoescape=select_autoescape(["html", "jinja"])
    )
    style = environment.get_template("style.html.jinja").render()
    return (
        f"<!doctype html><meta charset='utf-8'>{POLICY}<title>{escape(folder.name)}</title>{style}"
        f"<main>{_embedded(folder, html)}<h2>Metadata</h2><pre>{escape(front)}</pre></main>\n"
    )


POLICY = (
    "<meta http-equiv='Content-Security-Policy' "
    "content=\"default-src 'none'; img-src data:; media-src data:; style-src 'unsafe-inline'\">"
)
"""Other people's cards must not fetch anything."""


def _unfolded(body: str) -> str:
    """The body without a card's only HTML, `<details>`, whose content is to be shown in full."""
    return re.sub(r"</?details>|<summary>[^<]*</summary>", "", body)


def _embedded(folder: Path, html: str) -> str:
    """The page with its pictures as data, and links to videos as players."""

    def data(match: re.Match[str]) -> str:
        path = folder / match[2]
        try:
            inside = path.resolve().is_relative_to(folder.resolve())  # other people's cards may name any file
            shown = path.suffix in TYPES and inside and path.is_file() and path.stat().st_size <= TEXT_LIMIT
        except (OSError, RuntimeError):  # a name too long, links in a circle
            return match[0]
        if not shown:
            return match[0]
        content = base64.b64encode(read_bytes(path)).decode()
        return f'{match[1]}="data:{TYPES[path.suffix]};base64,{content}"'

    html = re.sub(r'(src)="([^":]+)"', data, html)
    return re.sub(
        r'<a href="([^":]+\.mp4)">([^<]*)</a>',
        lambda match: re.sub(r'(src)="([^":]+)"', data, f'<video controls loop src="{match[1]}"></video>'),
        html,
    )
