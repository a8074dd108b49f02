"""Horizontal bar charts: shapes that are written as SVG or drawn into a picture, without a plotting library."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
from markupsafe import Markup, escape

from .plot import COLORS, axis, number

WIDTH, ROW, LEFT, RIGHT = 760, 24, 210, 80
OWN, OTHER, SOFT = COLORS[1], COLORS[0], COLORS[5]
SCALE = 2
"""Pixels of a picture per pixel of the SVG."""


@dataclasses.dataclass(frozen=True)
class Bar:
    """`value` None: there is none, and `told` says why."""

    name: str
    value: float | None
    told: str = ""


@dataclasses.dataclass(frozen=True)
class _Box:
    x: float
    y: float
    width: float
    height: float
    color: str


@dataclasses.dataclass(frozen=True)
class _Text:
    x: float
    y: float
    text: str
    anchor: str = "start"


def svg(bars: Sequence[Bar]) -> Markup:
    """A chart; a vertical line at the first bar's end lets the others be compared with it."""
    shapes, height = _shapes(bars)
    parts = [_svg(shape) for shape in shapes]
    return Markup(f"<svg viewBox='0 0 {WIDTH} {height}' role='img'>{''.join(parts)}</svg>")


def picture(charts: Sequence[tuple[str, Sequence[Bar]]]) -> np.ndarray:
    """Charts one below the other, each with its title: uint8 `[H, W, 3]`."""
    from PIL import Image, ImageDraw, ImageFont

    pieces: list[_Box | _Text] = []
    top = 0.0
    for title, bars in charts:
        pieces.append(_Text(12, top + ROW / 2, title))
        shapes, height = _shapes(bars)
        pieces += [dataclasses.replace(shape, y=shape.y + top + ROW) for shape in shapes]
        top += height + ROW
    image = Image.new("RGB", (WIDTH * SCALE, round(top) * SCALE), "white")
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(11 * SCALE)
    for piece in pieces:
        x, y = piece.x * SCALE, piece.y * SCALE
        if isinstance(piece, _Box):
            draw.rectangle((x, y, x + piece.width * SCALE, y + piece.height * SCALE), piece.color)
        else:
            draw.text((x, y), piece.text, "#1f2430", font, anchor="rm" if piece.anchor == "end" else "lm")
    return np.asarray(image)


def _shapes(bars: Sequence[Bar]) -> tuple[list[_Box | _Text], int]:
    """The shapes of a chart, and its height."""
    values = [bar.value for bar in bars if bar.value is not None]
    across = axis(min(0.0, *values, 0.0), max(0.0, *values, 0.0))

    def place(value: float) -> float:
        return LEFT + (value - across.low) / (across.high - across.low) * (WIDTH - LEFT - RIGHT)

    shapes: list[_Box | _Text] = []
    for row, bar in enumerate(bars):
        middle = ROW * (row + 0.5)
        shapes.append(_Text(LEFT - 8, middle, bar.name, "end"))
        if bar.value is None:
            shapes.append(_Text(place(0) + 6, middle, bar.told))
            continue
        left, right = sorted((place(0), place(bar.value)))
        shapes.append(_Box(left, middle - 8, max(1, right - left), 16, OTHER if row else OWN))
        shapes.append(_Text(right + 6, middle, number(bar.value)))
    height = ROW * len(bars) + 8
    if bars and bars[0].value is not None:
        shapes.append(_Box(place(bars[0].value), 0, 1, height, SOFT))
    return shapes, height


def _svg(shape: _Box | _Text) -> str:
    if isinstance(shape, _Box):
        size = f"width='{shape.width:.1f}' height='{shape.height:.1f}'"
        return f"<rect x='{shape.x:.1f}' y='{shape.y:.1f}' {size} fill='{shape.color}'/>"
    return f"<text x='{shape.x:.1f}' y='{shape.y + 4:.1f}' text-anchor='{shape.anchor}'>{escape(shape.text)}</text>"
