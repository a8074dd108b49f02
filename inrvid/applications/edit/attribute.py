"""Directions between videos that have something and videos that lack it.

w is fitted by least squares as an affine function of a value, w ≈ a + value·d. If the value is yes or no, d is the
difference of the two means. The direction is made as long as one standard deviation of w along it. How well it tells
the value is said of videos that it was not fitted to: each is left out once.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from ...errors import InrvidError
from ...files import read_text
from ...generators.base import VideoGenerator
from .directions import OBSERVED, Direction, observed_styles

MOST_ROWS = 10**5


def fitted(name: str, styles: Tensor, values: Tensor, how: str) -> Direction:
    """The direction in which styles w `[N, w_dim]` move as their `values` `[N]` grow.

    Example:
        direction = fitted("bright", styles, frames.mean(dim=(1, 2, 3, 4)), "brightness")

    Raises:
        InrvidError: values that are all the same, not finite or too large, or fewer than two.
    """
    w, value = (x.double() - x.double().mean(dim=0) for x in (styles, values))
    size = value.square().sum()
    if not size.isfinite():
        raise InrvidError(f"direction {name}: values that are not finite, or too large: numbers are needed")
    if len(value) < 2 or not size > 0:
        raise InrvidError(f"direction {name}: {len(value)} videos, all with one value: some must have another")
    direction = value @ w / size
    unit = direction / direction.norm().clamp(min=1e-30)
    fit = _foretold(w, value)
    told = "correlation not told: one video alone has another value" if fit is None else f"correlation {fit:.2f}"
    told += f" in {len(value)} videos, each along the direction of the others" if fit is not None else ""
    return Direction(name, (unit * (w @ unit).std())[None].float(), f"{how}; {told}")


def _foretold(w: Tensor, value: Tensor) -> float | None:
    """The correlation of values with w along the direction that all but their own video give. Along the direction of
    all, a handful of videos has nearly 1, whatever their values: w has more numbers than there are videos. None if
    without one of the videos all values are the same, which tell no direction.

    Args:
        w, value: less their means.
    """
    own = value[:, None] * w * (len(value) / (len(value) - 1))  # less the means of the others, as w is then, too
    others = value @ w - own
    length = others.norm(dim=1)
    if (length < 1e-9 * own.norm(dim=1).max()).any():
        return None
    return float(torch.corrcoef(torch.stack([(w * others).sum(dim=1) / length, value]))[0, 1])


@torch.no_grad()
def of_labels(generator: VideoGenerator, name: str, label: int, against: int | None = None) -> Direction:
    """From class `against` to class `label`, of the same seeds; `against` None: from all classes as they are drawn.

    Raises:
        InrvidError: an unconditional generator, or no such class.
    """
    latents = generator.sample_latents(OBSERVED, seed=0, label=label)
    with_it = generator.styles(latents)[:, 0]
    without = generator.styles(generator.sample_latents(OBSERVED, seed=0, label=against))[:, 0]
    values = torch.tensor([1.0, 0.0], device=with_it.device).repeat_interleave(OBSERVED)
    other = "all classes" if against is None else f"class {against}"
    return fitted(name, torch.cat([with_it, without]), values, f"class {label} against {other}")


def of_seeds(
    generator: VideoGenerator, name: str, table: Sequence[tuple[int, float]], how: str = "values"
) -> Direction:
    """From (seed, value) pairs, the value being that of the seed's video. Raises InrvidError as `fitted`.

    Example:
        direction = of_seeds(generator, "bright", [(0, 0.3), (1, 0.7), (2, 0.4)])
    """
    styles = observed_styles(generator, [seed for seed, _ in table])
    return fitted(name, styles, torch.tensor([value for _, value in table], dtype=torch.float64).to(styles.device), how)


def read_table(path: Path) -> list[tuple[int, float]]:
    """A CSV file of seed,value rows, the first of which may be a heading.

    Raises:
        InrvidError: it cannot be read, a row is something else, or there are fewer than two.
    """
    try:
        rows = list(csv.reader(io.StringIO(read_text(path))))
    except (OSError, csv.Error) as error:
        reason = getattr(error, "strerror", None) or error
        raise InrvidError(f"{path}: cannot be read: {reason}") from None
    if len(rows) > MOST_ROWS:
        raise InrvidError(f"{path}: {len(rows)} rows: at most {MOST_ROWS} are read")
    found = []
    for number, row in enumerate(rows, 1):
        pair = _pair(row)
        if pair is not None:
            found.append(pair)
        elif row and number > 1:
            raise InrvidError(f"{path}:{number}: expected seed,value (17,0.5), got {','.join(row)[:60]}")
    if len(found) < 2:
        raise InrvidError(f"{path}: {len(found)} rows of seed,value: two at least, with two values, tell a direction")
    return found


def _pair(row: Sequence[str]) -> tuple[int, float] | None:
    """The row as (seed, value); None if it is not a seed and a number."""
    try:
        seed, value = int(row[0]), float(row[1])
    except (ValueError, IndexError):
        return None
    fits = len(row) == 2 and math.isfinite(value) and -(2**63) <= seed < 2**63
    return (seed, value) if fits else None
