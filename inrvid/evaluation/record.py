"""What a score consists of: the record of an evaluation, written to JSON and read back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from ..documents import Document, DocumentError, read
from ..errors import InrvidError
from ..files import write_text
from .detectors.base import DetectorDigest

FOR_OTHERS = ("description", "metrics", "optional")
"""Keys of a protocol that do not affect the scores of other metrics."""


def same_rate(one: float, other: float) -> bool:
    """Whether two frame rates count as the same speed."""
    return abs(one - other) <= 0.01 * other


def metric_name(type: Any, frames: Any, stride: Any, first: Any) -> str:
    """fvd16, fvd128s8, fvd16t112, kvd: the name of a score; with stride and first frame if they are not the default."""
    stride = f"s{stride}" if stride not in (None, 1) else ""
    return f"{type}{frames or ''}{stride}" + (f"t{first}" if first else "")


class Score(Document):
    value: float
    error: float | None = Field(
        None, description="standard deviation over runs, or standard error by random halves of the videos"
    )
    how: Literal["runs", "halves", "none"] = Field("none", description="what the error is computed from")
    better: Literal["lower", "higher", "neither"] = "lower"
    more_clips: float | None = Field(None, description="extrapolated to infinitely many clips, if there are few")


class Side(Document):
    """Real clips, or generated ones."""

    name: str
    kind: Literal["data", "videos", "model"]
    fingerprint: str
    clips: dict[str, int] = Field({}, description="number of clips, by window")
    fps: float
    settings: dict[str, Any] = Field(
        {}, description="of data: how it was read; of a conditional model: how classes were drawn"
    )


class Record(Document):
    inrvid_record: Literal[1] = 1
    protocol: str
    protocol_version: int
    protocol_package: str = Field("", description="package that the protocol came with; empty: a file of its own")
    protocol_package_version: str = ""
    settings: dict[str, Any] = Field(description="all keys of the protocol")
    variant: dict[str, Any] = Field({}, description="what differs from the protocol of that name")
    detectors: dict[str, DetectorDigest] = Field({}, description="what made the features, by name")
    resolution: list[int] = Field(description="height and width that detectors were given")
    real: Side
    fake: Side
    scores: dict[str, Score]
    notes: list[str] = Field([], description="what a reader should know")
    date: str
    device: str
    threads: int = Field(0, description="per process; they affect the last bits of a CPU's features; 0: not known")
    versions: dict[str, str] = Field({})
    seconds: float = 0.0

    def write(self, path: Path) -> None:
        write_text(path, self.model_dump_json(indent=2, exclude_none=True) + "\n")

    @property
    def speed(self) -> float:
        """Speed of the generated videos relative to the real ones, if they were compared at different frame rates."""
        return 1.0 if same_rate(self.fake.fps, self.real.fps) else round(self.fake.fps / (self.real.fps or 1), 2)

    @property
    def classes(self) -> str:
        """How frequent each class is in what was generated: 'as in the data', or 'evenly' by a conditional model."""
        return "evenly" if self.fake.settings.get("classes") == "evenly" else "as in the data"

    @property
    def comparable(self) -> str:
        """Equal for two records whose scores may be compared: protocol, variant, data, detectors, size,
        number of clips, frame rates, how classes were drawn."""
        same = {
            "protocol": [self.protocol, self.protocol_version],
            "variant": self.variant,
            "settings": {key: value for key, value in self.settings.items() if key not in FOR_OTHERS},
            "detectors": {name: digest.model_dump() for name, digest in self.detectors.items()},
            "data": self.real.fingerprint,
            "clips": [self.real.clips, self.fake.clips],
            "resolution": self.resolution,
            "generated": [self.speed, self.classes],
        }
        return json.dumps(same, sort_keys=True)


def read_record(path: Path) -> Record:
    """Read a record. Raises InrvidError if it is not one."""
    try:
        return read(path, Record)
    except DocumentError as error:
        raise InrvidError(f"{path}: not a record of an evaluation: {error}") from None
