"""Line charts as SVG text: a page with them needs no network, no script and no plotting library."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from markupsafe import Markup, escape

COLORS = ("#2a6fbb", "#d9622b", "#2f9e58", "#8d5bb8", "#c43d5d", "#6b7280")
DASHES = ("none", "6 3", "1.5 2.5")
"""Dash patterns: the next is used once the previous has had all colours; lengths drawn and left out."""
WIDTH, HEIGHT = 460, 220
LEFT, RIGHT, TOP, BOTTOM = 52, 10, 10, 26

LARGEST = 1e30
"""Values above it, or below its negative, are not drawn."""

Points = Sequence[tuple[float, float | None]]
"""(x, y) as they are joined, usually in the order of x; y is None where there is no value."""


class Pen(NamedTuple):
    """What distinguishes a line from the others in a chart."""

    color: str
    dashes: str

    @property
    def stroke(self) -> str:
        """SVG's attributes."""
        return f"fill='none' stroke='{self.color}' stroke-width='1.5' stroke-dasharray='{self.dashes}'"


class Axis(NamedTuple):
    low: float
    high: float
    ticks: list[float]


def chart(series: Mapping[str, Points]) -> Markup:
    """A chart of one or more named lines over a common x axis, with a legend."""
    series = {name: [(x, y if y is None or abs(y) <= LARGEST else None) for x, y in p] for name, p in series.items()}
    xs = [x for points in series.values() for x, _ in points]
    ys = [y for points in series.values() for _, y in points if y is not None]
    if not ys:
        return Markup("<p class='empty'>no values yet</p>")
    across, up = axis(min(0.0, *xs), max(xs)), axis(min(ys), max(ys))
    parts = [_frame(across, up)]
    pens = _pens(len(series))
    for pen, points in zip(pens, series.values(), strict=True):
        parts += [_line(_thinned(piece), across, up, pen) for piece in _pieces(points)]
    legend = "".join(
        f"<span><svg viewBox='0 0 21 4'><path d='M0 2H21' {pen.stroke}/></svg>{escape(name)}</span>"
        for pen, name in zip(pens, series, strict=True)
    )
    svg = f"<svg viewBox='0 0 {WIDTH} {HEIGHT}' role='img'>{''.join(parts)}</svg>"
    return Markup(f"{svg}<div class='legend'>{legend}</div>")


def axis(low: float, high: float) -> Axis:
    """An axis from `low` to `high`, widened to round numbers, with about four steps."""
    size = max(abs(low), abs(high))
    if high - low < max(1e-9 * size, 1e-12):  # one value: a unit around it, or more if a unit is negligible beside it
        pad = max(0.5, 1e-6 * size)
        low, high = low - pad, high + pad
    rough = (high - low) / 4
    unit = 10 ** math.floor(math.log10(rough))
    step = next(factor * unit for factor in (1, 2, 2.5, 5, 10) if factor * unit >= rough * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return Axis(first * step, last * step, [i * step for i in range(first, last + 1)])


def number(value: float, digits: int = 4) -> str:
    """Short and exact enough for an axis: 2000000 is 2M, 0.0025 stays."""
    for limit, unit in ((1e6, "M"), (1e3, "k")):
        if abs(value) >= limit:
            return f"{value / limit:.{digits}g}{unit}"
    return f"{value:.{digits}g}"


def _labels(axis: Axis) -> list[str]:
    """Labels of an axis's ticks, with enough digits to tell them apart."""
    step, largest = axis.ticks[1] - axis.ticks[0], max(map(abs, axis.ticks))
    digits = max(4, math.ceil(math.log10(largest / step)) + 1)
    return [number(value, digits) for value in axis.ticks]


def _frame(across: Axis, up: Axis) -> str:
    parts = []
    for value, label in zip(up.ticks, _labels(up), strict=True):
        y = _y(value, up)
        parts.append(f"<line x1='{LEFT}' x2='{WIDTH - RIGHT}' y1='{y:.1f}' y2='{y:.1f}' class='grid'/>")
        smaller = f" style='font-size:{70 / len(label):.1f}px'" if len(label) > 7 else ""  # as wide as 7 characters
        parts.append(f"<text x='{LEFT - 6}' y='{y + 4:.1f}'{smaller} text-anchor='end'>{label}</text>")
    for value, label in zip(across.ticks, _labels(across), strict=True):
        x = _x(value, across)
        parts.append(f"<text x='{x:.1f}' y='{HEIGHT - 8}' text-anchor='middle'>{label}</text>")
    return "".join(parts)


def _line(points: Sequence[tuple[float, float]], across: Axis, up: Axis, pen: Pen) -> str:
    places = " ".join(f"{_x(x, across):.1f},{_y(y, up):.1f}" for x, y in points)
    if len(points) == 1:
        x, y = places.split(",")
        return f"<circle cx='{x}' cy='{y}' r='2' fill='{pen.color}'/>"
    return f"<polyline points='{places}' {pen.stroke}/>"


def _pieces(points: Points) -> list[list[tuple[float, float]]]:
    """Runs of points that have a value."""
    pieces: list[list[tuple[float, float]]] = [[]]
    for x, y in points:
        if y is None:
            pieces.append([])
        else:
            pieces[-1].append((x, y))
    return [piece for piece in pieces if piece]


def _thinned(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Of very many points, the lowest and highest in each run of neighbours; as many runs as the chart is wide."""
    if len(points) <= 4 * WIDTH:
        return points
    size = len(points) / WIDTH
    runs = (points[round(i * size) : round((i + 1) * size)] for i in range(WIDTH))
    ends = ((min(run, key=lambda p: p[1]), max(run, key=lambda p: p[1])) for run in runs)
    return [points[0], *(point for pair in ends for point in sorted(pair)), points[-1]]


def _x(value: float, across: Axis) -> float:
    return LEFT + (value - across.low) / (across.high - across.low) * (WIDTH - LEFT - RIGHT)


def _y(value: float, up: Axis) -> float:
    return HEIGHT - BOTTOM - (value - up.low) / (up.high - up.low) * (HEIGHT - TOP - BOTTOM)


def _pens(count: int) -> list[Pen]:
    every = [Pen(color, dashes) for dashes in DASHES for color in COLORS]
    return [every[i % len(every)] for i in range(count)]
