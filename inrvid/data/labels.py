"""`dataset.json` of frame folders: classes as in StyleGAN's format, and what `inrvid data convert` adds.

{"labels": [["folder" or "folder/frame.jpg", 0], …] or null,   as in StyleGAN2-ADA and StyleGAN-V
 "classes": ["name of class 0", …], "fps": 25.0 or {"folder": 25.0, …}}                   ours
"""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from pydantic import NonNegativeInt, PositiveFloat, TypeAdapter, ValidationError
from typing_extensions import TypedDict

from ..errors import DataError

LABELS_FILE = "dataset.json"


class _Content(TypedDict, total=False):
    labels: list[tuple[str, NonNegativeInt]] | None
    classes: list[str]
    fps: PositiveFloat | dict[str, PositiveFloat]


@dataclasses.dataclass(frozen=True)
class Labels:
    """Numbers of classes by folder or file name (None: there are none), names of classes, frame rates."""

    numbers: dict[str, int] | None = None
    names: tuple[str, ...] = ()
    fps: float | dict[str, float] | None = None

    @classmethod
    def parse(cls, content: bytes, where: str) -> Labels:
        """Raises DataError, with `where`, if the content is not in the format."""
        try:
            data: Any = TypeAdapter(_Content).validate_json(content)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            path = ".".join(str(key) for key in first["loc"][:3])
            raise DataError(f"{where}: {path or 'content'}: {first['msg']}") from None
        numbers, names = data.get("labels"), tuple(data.get("classes", ()))
        if numbers and names and max(number for _, number in numbers) >= len(names):
            raise DataError(f"{where}: a label beyond the {len(names)} classes")
        return cls(dict(numbers) if numbers else None, names, data.get("fps"))

    def of(self, video: str, first_frame: str) -> str | None:
        """Name of a video's class, listed under its folder or its first frame."""
        assert self.numbers is not None
        number = self.numbers.get(video, self.numbers.get(first_frame))
        if number is None:
            return None
        return self.classes()[number]

    def classes(self) -> list[str]:
        """Names by number; the numbers themselves where there are no names."""
        if self.numbers is None:
            return []
        return list(self.names) or [str(number) for number in range(max(self.numbers.values()) + 1)]

    def rate(self, video: str) -> float | None:
        return self.fps.get(video) if isinstance(self.fps, dict) else self.fps

    def to_json(self) -> str:
        labels = None if self.numbers is None else list(self.numbers.items())
        return json.dumps({"labels": labels, "classes": list(self.names), "fps": self.fps})
