"""One picture to compare all systems by: a row a system, its first seed's first video, time from left to right."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from inrvid.video_io import write_image

from .run import SEEDS

LABEL = 190
"""Pixels for the names."""
INK, PAPER = (40, 40, 40), (255, 255, 255)


def write_strips(strips: Mapping[str, Path], times: Sequence[int], path: Path) -> None:
    """Of the strips of `run.draw` by their systems' names, one at least, with the frames' numbers above."""
    rows = {name: _first_row(strip) for name, strip in strips.items()}
    width, height = next(iter(rows.values())).size
    picture = Image.new("RGB", (LABEL + width, (len(rows) + 1) * height), PAPER)
    pen = ImageDraw.Draw(picture)
    for column, t in enumerate(times):
        pen.text((LABEL + (column + 0.5) * width / len(times), height - 4), str(t), INK, anchor="ms")
    for number, (name, row) in enumerate(rows.items(), start=1):
        pen.text((LABEL - 8, (number + 0.5) * height), name, INK, anchor="rm")
        picture.paste(row, (LABEL, number * height))
    write_image(path, np.asarray(picture))


def embedded(strip: Path) -> str:
    """A strip as an address that holds it, a tenth as large as the file; empty, where there is none."""
    if not strip.exists():
        return ""
    content = io.BytesIO()
    with Image.open(strip) as picture:
        picture.convert("RGB").save(content, "webp", quality=80, method=6)
    return f"data:image/webp;base64,{base64.b64encode(content.getvalue()).decode()}"


def _first_row(strip: Path) -> Image.Image:
    with Image.open(strip) as whole:
        return whole.convert("RGB").crop((0, 0, whole.width, whole.height // SEEDS))
