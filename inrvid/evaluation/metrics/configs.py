"""Configurations of the metrics."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from ...config import PartConfig


class MetricConfig(PartConfig):
    """What every metric has."""


class VideoStatisticsConfig(MetricConfig):
    cells: Annotated[int, Field(ge=1, le=16)] = Field(4, description="cells a side over which statistics are averaged")
    cell_size: Annotated[int, Field(ge=2, le=64)] = Field(
        8, description="side of a cell in pixels; frames are area-resized to cells × cell_size"
    )
