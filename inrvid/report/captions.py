"""Text in pictures."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..text import printable

LINE, TEXT = 20, 15
"""Of a line of text and its letters: pixels."""


def captioned(lines: Sequence[str]) -> np.ndarray:
    """Lines of text, black on white: uint8 `[H, W, 3]`."""
    from PIL import Image, ImageDraw, ImageFont

    font = ImageFont.load_default(TEXT)
    lines = [printable(line).replace("\n", " ") for line in lines]
    width = max(font.getlength(line) for line in lines)
    image = Image.new("RGB", (int(width) + 1, LINE * len(lines)), "white")
    draw = ImageDraw.Draw(image)
    for number, line in enumerate(lines):
        draw.text((0, LINE * (number + 0.5)), line, "#1f2430", font, anchor="lm")
    return np.asarray(image)
