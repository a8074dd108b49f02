"""What writers of videos have in common.

A writer is a context manager of (path, `Video`) whose value appends frames, uint8 `[n, H, W, 3]`, to those before.
What it writes lies beside the path until it is complete, and then takes the path's place.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

import numpy as np
from pydantic import Field

from ..config import StrictModel

Write = Callable[[np.ndarray], None]
"""Takes the next frames, uint8 `[n, H, W, 3]`, all of one size."""


class Encoding(StrictModel):
    """How a video becomes a file; options that a format does not have are refused (`fragmented` is ignored)."""

    crf: Annotated[int, Field(ge=0, le=63)] | None = Field(
        None, description="quality of mp4 (0 … 51, default 12) and webm (0 … 63, default 20); lower: better, larger"
    )
    lossless: bool = Field(False, description="mp4 and webm keep the exact pixels; not every player shows them")
    pictures: Literal["png", "jpg"] | None = Field(None, description="format of a folder of frames; default: png")
    fragmented: bool = Field(False, description="an mp4 that is complete, at any time, up to where it has been written")


class Video(NamedTuple):
    """What a writer is told before the first frame: frames a second, how many there will be, how they are encoded."""

    fps: float
    frames: int
    encoding: Encoding


Writer = Callable[[Path, Video], AbstractContextManager[Write]]
