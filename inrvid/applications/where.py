"""Which part of the plane is asked for, and how finely."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import Field, model_validator
from typing_extensions import Self

from ..config import LARGEST_SIDE
from ..errors import InrvidError
from ..generators.base import VideoGenerator
from ..grid import Grid
from .options import Options, at_most_one, sides

Region = tuple[float, float, float, float]
NUMBER = r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)"


class Where(Options):
    """Size and region of the frames."""

    size: str | None = Field(
        None, description="a side, or HEIGHTxWIDTH, pixels; default: the model's own points, of the whole region"
    )
    region: str | None = Field(None, description="x0,y0,x1,y1: 0,0,1,1 is what the model was trained on; y down")
    zoom_out: Annotated[float, Field(gt=0, le=1000)] | None = Field(
        None, description="1.5: a region 1.5 times as wide and high, around the middle; 0.5 zooms in"
    )

    enlarge: Annotated[int, Field(ge=1, le=64)] = Field(
        1, description="shows each pixel as this many by this many: larger pictures of what has no finer grid"
    )

    @model_validator(mode="after")
    def _one_region(self) -> Self:
        at_most_one(region=self.region, zoom_out=self.zoom_out)
        return self

    def grid_of(self, generator: VideoGenerator) -> Grid:
        """The grid. Raises InrvidError for an invalid size or region, or one that the generator cannot draw."""
        region = self._region()
        height, width = self._sides() or _at_the_models_density(generator, region)
        grid = Grid(height, width, region)
        generator.check_grid(grid)
        return grid

    def _sides(self) -> tuple[int, int] | None:
        if self.size is None:
            return None
        found = sides(self.size)
        if found is None or not all(1 <= side <= LARGEST_SIDE for side in found):
            raise InrvidError(
                f"--size {self.size[:40]}: expected a side in pixels, such as 256, or HEIGHTxWIDTH, at most "
                f"{LARGEST_SIDE}"
            )
        return found

    def _region(self) -> Region:
        if self.zoom_out is not None:
            more = (self.zoom_out - 1) / 2
            return (-more, -more, 1 + more, 1 + more)
        if self.region is None:
            return (0.0, 0.0, 1.0, 1.0)
        numbers = [float(part) for part in re.split(r"\s*,\s*", self.region.strip()) if re.fullmatch(NUMBER, part)]
        if len(numbers) != 4 or self.region.count(",") != 3 or not all(abs(number) <= 1000 for number in numbers):
            raise InrvidError(f"--region {self.region[:60]}: expected x0,y0,x1,y1, such as -0.25,-0.25,1.25,1.25")
        x0, y0, x1, y1 = numbers
        if not (x0 < x1 and y0 < y1):
            raise InrvidError(f"--region {self.region[:60]}: x0,y0 is the upper left corner, x1,y1 the lower right one")
        return (x0, y0, x1, y1)


def _at_the_models_density(generator: VideoGenerator, region: Region) -> tuple[int, int]:
    """(height, width) for points as dense as the model was trained on, up to rounding."""
    x0, y0, x1, y1 = region
    multiple = generator.side_multiple
    height, width = (
        max(1, round(generator.resolution * length / multiple)) * multiple for length in (y1 - y0, x1 - x0)
    )
    if max(height, width) > LARGEST_SIDE:
        raise InrvidError(f"a region of {width}x{height} points at the model's density: give a --size")
    return height, width
