"""Figures as text."""

from __future__ import annotations


def number(x: float) -> str:
    """Three digits, and no exponent."""
    if x >= 99.95:
        return f"{x:.0f}"
    return f"{x:.1f}" if x >= 9.995 else f"{x:.2f}"


def seconds(x: float) -> str:
    for unit, factor in (("s", 1.0), ("ms", 1e3)):
        if x * factor >= 0.9995:
            return f"{number(x * factor)} {unit}"
    return f"{number(x * 1e6)} µs"


def memory(count: float) -> str:
    """Bytes, in decimal units."""
    for unit, size in (("GB", 1e9), ("MB", 1e6)):
        if abs(count) >= size:
            return f"{number(count / size)} {unit}"
    return f"{count / 1e3:.0f} kB"


def fraction(x: float) -> str:
    return f"{x:.2f}"


def times(x: float) -> str:
    return f"{number(x)}×"
