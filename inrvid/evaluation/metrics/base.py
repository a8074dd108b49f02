"""What a metric offers: what it wants to see of a video, by which detector, and a score of two sets of features."""

from __future__ import annotations

import abc
from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field
from torch import Tensor

from ...config import MOST, Count, Natural, PartConfig
from ...registry import PartOf
from ..clips import Window
from ..detectors.base import Detector
from ..record import metric_name

Parts = Mapping[str, slice]
"""Columns of a detector's features by name; for most, one part without a name."""


class Metric(abc.ABC):
    """Constructed as `Class(config)`. It only sees features: a clip is looked at once for all metrics of a detector.

    Clips of other lengths have other scores, so frames and stride are part of its name, and so is where clips begin:
    training sees a model's first frames, but a video continues.
    """

    class Config(PartConfig):
        frames: Annotated[int, Field(ge=1, le=MOST)] | None = Field(
            None, description="frames of a clip; default: those of a training clip"
        )
        stride: Count = Field(1, description="every n-th frame of a video is seen")
        first: Natural = Field(0, description="frame at which clips from a video's start begin, such as generated ones")
        detector: Annotated[PartConfig, PartOf("detectors")] = Field(
            {"type": "i3d"}, validate_default=True, description="what turns clips into features"
        )

    biased: ClassVar[bool] = False
    """Whether it is larger for fewer clips of the same kind."""
    better: ClassVar[Literal["lower", "higher", "neither"]] = "lower"
    """Which of two values means a better generator."""
    singly: ClassVar[bool] = False
    """Whether a detector sees each frame of a clip by itself: features are `[N, frames, n]` where there are several."""
    nearest: ClassVar[bool] = False
    """Whether it is the mean, over generated clips, of `distances.nearest`, so that a picture can show these clips."""

    def __init__(self, config: Config):
        self.config = config

    @property
    def name(self) -> str:
        """fvd16, fvd128s8, fvd16t112, kvd: type, frames, stride and first frame where they are written."""
        return metric_name(self.config.type, self.config.frames, self.config.stride, self.config.first)

    def score_name(self, part: str) -> str:
        """fvd16, or fvd16/part if it has several scores: the name in records and progress files of one of `score`'s."""
        return f"{self.name}/{part}" if part else self.name

    def window(self, clip_length: int) -> Window:
        """What it sees of a video, if training clips have `clip_length` frames."""
        frames = self.config.frames or clip_length
        return Window(frames, self.config.stride, self.config.first, self.singly and frames > 1)

    @property
    def fewest(self) -> int:
        """Fewest generated clips that give a score."""
        return 2

    @property
    def fewest_real(self) -> int:
        """Fewest real clips that give a score."""
        return self.fewest

    def check(self, detector: Detector) -> None:  # noqa: B027
        """Raise InrvidError if this detector's features, as it is configured, do not suit the metric."""

    @abc.abstractmethod
    def score(self, real: Tensor, fake: Tensor, parts: Parts) -> dict[str, float]:
        """Scores by name ('' for the only one) of features `[N, n]` and `[M, n]`, float64.

        Raises:
            InrvidError: too few, or features that are not finite.
        """
