"""`dataset.json` of frame folders: classes as in StyleGAN's format, and what `inrvid data convert` adds.

{"labels": [["folder" or "folder/frame.jpg", 0], …] or null,   as in StyleGAN2-ADA and StyleGAN-V
 "classes": ["name of class 0", …], "fps": 25.0 or {"folder": 25.0, …}}                   ours
"""

from __future__ import annotations

import dataclasses
import json
import os
from typing import Annotated

from pydantic import Field

from ..config import Fps
from ..documents import Document, DocumentError, parse
from ..errors import DataError

LABELS_FILE = "dataset.json"

MOST_BYTES = 64 * 2**20
"""Most bytes of the file, which may name every frame."""

FEW_CLASSES = 1000
"""Up to this many classes, their numbers may have any gaps."""

Number = Annotated[int, Field(ge=0, lt=2**63)]


class _Content(Document):
    labels: list[tuple[str, Number]] | None = None
    classes: tuple[str, ...] = ()
    fps: Fps | dict[str, Fps] | None = None


@dataclasses.dataclass(frozen=True)
class Labels:
    """Class numbers by folder or file name (None: there are none), class names, frame rates."""

    numbers: dict[str, int] | None = None
    names: tuple[str, ...] = ()
    fps: float | dict[str, float] | None = None

    @classmethod
    def parse(cls, content: bytes, where: str) -> Labels:
        """Raises DataError, with `where`, if the content is not in the format."""
        try:
            data = parse(content, _Content)
        except DocumentError as error:
            raise DataError(f"{where}: {error}") from None
        if len(set(data.classes)) < len(data.classes):
            raise DataError(f"{where}: classes: a name occurs twice")
        numbers: dict[str, int] = {}
        for name, number in data.labels or ():
            if numbers.setdefault(as_posix(name), number) != number:
                raise DataError(f"{where}: labels: {name} has two, {numbers[as_posix(name)]} and {number}")
        if numbers and data.classes and max(numbers.values()) >= len(data.classes):
            raise DataError(f"{where}: a label beyond the {len(data.classes)} classes")
        rates = {as_posix(name): fps for name, fps in data.fps.items()} if isinstance(data.fps, dict) else data.fps
        return cls(numbers or None, data.classes, rates)

    def of(self, video: str, first_frame: str) -> str | None:
        """Name of a video's class, listed under its folder or its first frame."""
        assert self.numbers is not None
        number = self.numbers.get(video, self.numbers.get(first_frame))
        if number is None:
            return None
        return self.names[number] if self.names else str(number)

    def classes(self, where: str) -> list[str]:
        """Names by number, or the numbers themselves if there are no names.

        Raises DataError, with `where`, if the numbers are not those of classes, but dates or ids.
        """
        if self.numbers is None or self.names:
            return list(self.names) if self.numbers is not None else []
        used = set(self.numbers.values())
        most = max(used)
        if most >= FEW_CLASSES and len(used) < (most + 1) / 10:
            raise DataError(
                f"{where}: {len(used)} different labels, as large as {most}, do not look like class numbers: "
                'number the classes from 0 on, or add "classes": [name of class 0, …]'
            )
        return [str(number) for number in range(most + 1)]

    def rate(self, video: str) -> float | None:
        return self.fps.get(video) if isinstance(self.fps, dict) else self.fps

    def to_json(self) -> str:
        """As JSON; bytes of class names that are not text are written as escapes, since JSON cannot hold them."""
        labels = None if self.numbers is None else list(self.numbers.items())
        names = [os.fsencode(name).decode("utf-8", "backslashreplace") for name in self.names]
        return json.dumps({"labels": labels, "classes": names, "fps": self.fps})


def as_posix(name: str) -> str:
    """A name in a zip or in `dataset.json` with '/' between folders, where Windows wrote '\\'."""
    return name.replace("\\", "/")
