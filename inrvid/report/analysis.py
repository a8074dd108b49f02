"""What analyses of a model found: a self-contained page, its numbers as JSON, its pictures as PNG."""

from __future__ import annotations

import base64
import io
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from ..applications.analyze.finding import Finding
from ..documents import Document, DocumentError, read
from ..errors import InrvidError
from ..files import refilling
from ..video_io import enlarge
from .page import environment
from .plot import chart

PAGE, DATA = "index.html", "analysis.json"

SEEN = 256
"""Smaller pictures are enlarged by a whole factor, to at most this many pixels on the shorter side."""


class _Written(Document):
    """Marks a folder's page as that of an analysis, and names its pictures."""

    model: str
    notes: list[str]
    files: tuple[str, ...] = ()


def write_analysis(folder: Path, model: str, findings: Mapping[str, Finding], notes: Sequence[str] = ()) -> Path:
    """Write index.html, analysis.json and the pictures into a folder, all or nothing; returns the page's path.

    Args:
        findings: by the names of the analyses.
        notes: lines for the page's top: what was not possible, and why.

    Raises:
        InrvidError: as `earlier`.
        OSError: the folder cannot be written.
    """
    sections = []
    with refilling(folder, earlier(folder)) as temporary:
        for name, finding in findings.items():
            pictures = {title: _png(_seen(picture)) for title, picture in finding.pictures.items()}
            for title, content in pictures.items():
                (temporary / f"{name}_{re.sub(r'[^A-Za-z0-9-]+', '_', title)}.png").write_bytes(content)
            charts = {caption: chart(lines) for caption, lines in finding.charts.items()}
            sections.append((finding, charts, {title: _address(content) for title, content in pictures.items()}))
        page = environment().get_template("analysis.html.jinja").render(model=model, notes=notes, sections=sections)
        files = sorted(path.name for path in temporary.iterdir())
        (temporary / PAGE).write_text(page, encoding="utf-8")
        data = {
            "model": model,
            "notes": list(notes),
            "files": files,
            **{name: f.as_data() for name, f in findings.items()},
        }
        (temporary / DATA).write_text(json.dumps(data, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return folder / PAGE


def earlier(folder: Path) -> list[str]:
    """Names of the pictures of an analysis that is there already, which a new one replaces.

    Raises:
        InrvidError: there is a page of the same name that is not of an analysis.
    """
    if not (folder / PAGE).exists():
        return []
    try:
        files = read(folder / DATA, _Written).files
        return [name for name in files if re.fullmatch(r"[A-Za-z0-9_-]+\.png", name)]
    except DocumentError:
        raise InrvidError(f"{folder / PAGE}: of no analysis of this library: choose another -o") from None


def _seen(picture: np.ndarray) -> np.ndarray:
    return enlarge(picture, max(1, SEEN // min(picture.shape[:2])))


def _png(picture: np.ndarray) -> bytes:
    content = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(picture)).save(content, "PNG")
    return content.getvalue()


def _address(content: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(content).decode()}"
