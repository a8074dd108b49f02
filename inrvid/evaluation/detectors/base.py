"""What a detector offers: features of clips, and what exactly it is."""

from __future__ import annotations

import abc
from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor

from ...config import PartConfig


class Detector(abc.ABC):
    """Turns clips into features. Constructed as `Class(config)`; weights are looked for then, and read when needed."""

    class Config(PartConfig):
        pass

    min_frames: ClassVar[int] = 1
    """Frames without which it sees nothing."""

    def __init__(self, config: PartConfig):
        self.config = config

    @abc.abstractmethod
    def features(self, frames: Tensor) -> Tensor:
        """Features `[B, n]` of clips `[B, T, 3, H, W]` in [−1, 1], on the frames' device.

        A clip's features do not depend on the others in the batch, but for rounding.
        """

    @property
    def parts(self) -> Mapping[str, slice]:
        """Columns by name that are scored apart; most have one part without a name."""
        return {"": slice(None)}

    @property
    def digest(self) -> dict[str, str]:
        """What it is, for records: where its weights come from and their sha256. Empty: the library's own, and none."""
        return {}

    def to(self, device: torch.device) -> Detector:
        """Move what it has to a device; returns itself."""
        return self
