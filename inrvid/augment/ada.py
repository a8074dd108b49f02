"""Adaptive discriminator augmentation (StyleGAN2-ADA, NeurIPS 2020), one draw for all frames of a clip (StyleGAN-V).

Each operation happens with probability p. All geometric operations on a clip form one low-passed warp, all colour
operations one matrix. p follows the mean sign of the discriminator's logits for real clips.

Matrices are made on the CPU, from the CPU's draws and a p that the CPU knows, as a warp needs their extent there. The
statistic is copied from the device while training goes on, and is used one interval later, when it has long arrived:
nothing waits.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Annotated, Literal, Protocol

import torch
from pydantic import Field, Strict, model_validator
from torch import Tensor
from typing_extensions import Self

from ..config import Count, PartConfig, Positive
from ..discriminators.base import Augmentation, Tensors
from ..random import Draws
from ..schedule import Cosine
from ..transfer import to_device
from . import transforms as tf
from .base import Augment
from .filter_bank import BANDS, POWER, amplify
from .warp import warp

SCALE_STD, ANISO_STD, SHIFT_STD, SHIFT_MAX = 0.2, 0.2, 0.125, 0.125
BRIGHTNESS_STD, CONTRAST_STD, SATURATION_STD, BAND_STD = 0.2, 0.5, 1.0, 1.0
CUTOUT_SIZE = 0.5


class Source(Protocol):
    """Random variables of a batch of clips, `[B]` each, and whether an operation happens to a clip."""

    def uniform(self) -> Tensor: ...
    def normal(self) -> Tensor: ...
    def happens(self, root: bool = False) -> Tensor: ...


class RandomSource:
    """From draws. `happens` with probability p, or, with `root`, 1 − √(1 − p): at least one of two happens with p."""

    def __init__(self, draws: Draws, p: float):
        self.draws, self.p = draws, p

    def uniform(self) -> Tensor:
        return self.draws.uniform()

    def normal(self) -> Tensor:
        return self.draws.normal()

    def happens(self, root: bool = False) -> Tensor:
        return self.draws.uniform() < (1 - math.sqrt(1 - self.p) if root else self.p)


class QuantileSource:
    """Every operation happens, and every random variable is at its quantile q (as in the release's debugging aid: a
    normal variable at erfinv(2q − 1), without the √2)."""

    def __init__(self, q: float, count: int):
        self.q, self.count = q, count

    def uniform(self) -> Tensor:
        return torch.full((self.count,), self.q)

    def normal(self) -> Tensor:
        return torch.erfinv(2 * self.uniform() - 1)

    def happens(self, root: bool = False) -> Tensor:
        return torch.ones(self.count, dtype=torch.bool)


Operation = Literal[
    "xflip", "rotate90", "xint", "scale", "rotate", "aniso", "xfrac",
    "brightness", "contrast", "lumaflip", "hue", "saturation", "imgfilter", "cutout",
]  # fmt: skip
GEOMETRY: tuple[Operation, ...] = ("xflip", "rotate90", "xint", "scale", "rotate", "aniso", "xfrac")
APPLIED = ("xflip", "rotate90", "xint", "scale", "rotate", "aniso", "rotate again", "xfrac")
"""Geometry in the order in which it is applied: `rotate` once before the anisotropic scaling and once after it."""
COLOR: tuple[Operation, ...] = ("brightness", "contrast", "lumaflip", "hue", "saturation")


class Ada(Augment):
    """Adaptive augmentation: geometry and colour, as often as D needs it.

        p ← clamp(p + sign(E sign D(x) − target)·clips / (1000·speed_kclips), 0, 1)

    p is the probability of each operation, changed every `interval` steps, in which D sees `clips`; D(x) are the logits
    for real clips, from the interval before the last one (in the release: from the last, which would mean waiting for
    the device). With `schedule`, p follows that at each step instead (R3GAN, NeurIPS 2024), whatever the logits.
    """

    source = "StyleGAN2-ADA (NeurIPS 2020)"

    class Config(PartConfig):
        """The default is the pipeline `bgc`: pixel blitting, geometry, colour."""

        operations: Annotated[tuple[Operation, ...], Strict(False)] = Field(
            GEOMETRY + COLOR, description="operations, each of which happens with probability p"
        )
        target: Annotated[float, Field(ge=-1, le=1)] = Field(
            0.6, description="target for the mean sign of D's logits for real clips"
        )
        speed_kclips: Positive = Field(100.0, description="thousands of clips in which p can go from 0 to 1")
        interval: Count = Field(4, description="steps between two changes of p")
        initial: Annotated[float, Field(ge=0, le=1)] = Field(0.0, description="p at the start")
        schedule: Cosine | None = Field(None, description="p over the training, in place of one that adapts")

        @model_validator(mode="after")
        def _is_a_probability(self) -> Self:
            if self.schedule is not None and max(self.schedule.start, self.schedule.end) > 1:
                raise ValueError("schedule: of a probability: start and end are at most 1")
            if self.schedule is not None and self.initial > 0:
                raise ValueError("initial: with a schedule, p begins with schedule.start: leave initial out")
            return self

    config: Config

    def __init__(self, config: Config):
        super().__init__(config)
        self.p = config.schedule.start if config.schedule else config.initial
        self.register_buffer("signs", torch.zeros(2, dtype=torch.float64))  # sum of signs, number of logits
        self._arriving: tuple[Tensor, torch.cuda.Event | None] | None = None
        self._steps = 0
        self._clips = 0

    signs: Tensor

    def sample(self, draws: Draws, device: torch.device) -> Augmentation:
        return self._augmentation(RandomSource(draws, self.p), len(draws))

    def at_quantile(self, q: float, count: int) -> Augmentation:
        """Every operation, at fixed values: for tests."""
        return self._augmentation(QuantileSource(q, count), count)

    # p

    def observe(self, real: Tensors, *, clips: int, total: Callable[[Tensor], Tensor]) -> None:
        """Count the signs of a step's real logits; at each interval, move p."""
        self._clips += clips
        if self.config.schedule is not None:
            self.p = self.config.schedule.at(self._clips)
            return
        for logits in real.values():
            self.signs[0] += logits.detach().sign().sum()
            self.signs[1] += logits.numel()
        self._steps += 1
        if self._steps % self.config.interval:
            return
        self._move(clips * self.config.interval)
        sums = total(self.signs)
        self.signs = torch.zeros_like(self.signs)
        self._arriving = _to_cpu(sums)

    def _move(self, clips: int) -> None:
        """Move p by the statistic of the interval before the last."""
        if self._arriving is None:
            return
        sums, event = self._arriving
        if event is not None:
            event.synchronize()  # recorded `interval` steps ago
        mean = float(sums[0] / sums[1])
        step = clips / (self.config.speed_kclips * 1000)
        error = mean - self.config.target
        direction = (error > 0) - (error < 0)
        self.p = min(1.0, max(0.0, self.p + direction * step))

    def even_out(self, mean: Callable[[Tensor], Tensor]) -> None:
        self.signs = mean(self.signs)

    def report(self) -> dict[str, Tensor]:
        return {"augment/p": torch.tensor(self.p)}

    def get_extra_state(self) -> Tensor:
        """p, the steps counted, the statistic being copied, and the clips counted: with `signs`, all that resuming
        needs."""
        sums, event = self._arriving or (torch.zeros(2, dtype=torch.float64), None)
        if event is not None:
            event.synchronize()
        return torch.tensor([self.p, self._steps, *sums.tolist(), self._clips], dtype=torch.float64)

    def set_extra_state(self, state: Tensor) -> None:
        self.p, self._steps = float(state[0]), int(state[1])
        self._arriving = (state[2:4].clone(), None) if state[3] > 0 else None
        self._clips = int(state[4]) if len(state) > 4 else 0  # state from before schedules existed: not counted

    # One draw

    def _augmentation(self, source: Source, count: int) -> Augmentation:
        has = self.config.operations.__contains__
        # Everything is drawn in a fixed order, whatever the size of the frames, which are given only later.
        drawn: dict[str, Maker] = {name: _GEOMETRY[name](source) for name in GEOMETRY if has(name)}
        if "rotate" in drawn:
            drawn["rotate again"] = _rotate_again(source)
        geometry = [drawn[name] for name in APPLIED if name in drawn]
        color = [_COLOR[name](source) for name in COLOR if has(name)]
        gains = _band_gains(source) if has("imgfilter") else None
        hole = _cutout_centre(source) if has("cutout") else None

        def apply(frames: Tensor) -> Tensor:
            batch, steps, _, height, width = frames.shape
            x = frames.flatten(1, 2)
            if geometry:
                inverse = torch.eye(3).expand(batch, 3, 3)
                for make in geometry:
                    inverse = inverse @ make(height, width)
                x = warp(x, inverse)
            x = x.unflatten(1, (steps, 3))
            if color:
                x = _recolor(x, color)
            if gains is not None:
                x = amplify(x.flatten(1, 2), gains).unflatten(1, (steps, 3))
            if hole is not None:
                x = x * to_device(_outside(hole, height, width), x.device, x.dtype)[:, None, None]
            return x

        return apply


Maker = Callable[[int, int], Tensor]
"""(height, width) → the inverse of an operation, `[B, 3, 3]`."""


def _only(happens: Tensor, value: Tensor, neutral: float = 0.0) -> Tensor:
    return torch.where(happens, value, torch.full_like(value, neutral))


def _xflip(source: Source) -> Maker:
    sign = 1 - 2 * _only(source.happens(), (source.uniform() * 2).floor())
    return lambda height, width: tf.scaling(sign, torch.ones_like(sign))


def _rotate90(source: Source) -> Maker:
    turns = _only(source.happens(), (source.uniform() * 4).floor())
    return lambda height, width: tf.rotation(turns * (math.pi / 2))


def _xint(source: Source) -> Maker:
    happens = source.happens()
    x, y = (_only(happens, (2 * source.uniform() - 1) * SHIFT_MAX) for _ in range(2))
    return lambda height, width: tf.translation(-(x * width).round(), -(y * height).round())


def _scale(source: Source) -> Maker:
    factor = _only(source.happens(), (source.normal() * SCALE_STD).exp2(), 1.0)
    return lambda height, width: tf.scaling(1 / factor, 1 / factor)


def _rotate(source: Source) -> Maker:
    angle = _only(source.happens(root=True), (2 * source.uniform() - 1) * math.pi)
    return lambda height, width: tf.rotation(angle)


def _rotate_again(source: Source) -> Maker:
    if isinstance(source, QuantileSource):
        return lambda height, width: tf.rotation(torch.zeros(source.count))
    return _rotate(source)


def _aniso(source: Source) -> Maker:
    factor = _only(source.happens(), (source.normal() * ANISO_STD).exp2(), 1.0)
    return lambda height, width: tf.scaling(1 / factor, factor)


def _xfrac(source: Source) -> Maker:
    happens = source.happens()
    x, y = (_only(happens, source.normal() * SHIFT_STD) for _ in range(2))
    return lambda height, width: tf.translation(-x * width, -y * height)


_GEOMETRY: dict[str, Callable[[Source], Maker]] = {
    "xflip": _xflip,
    "rotate90": _rotate90,
    "xint": _xint,
    "scale": _scale,
    "rotate": _rotate,
    "aniso": _aniso,
    "xfrac": _xfrac,
}


def _brightness(source: Source) -> Tensor:
    return tf.color_shift(_only(source.happens(), source.normal() * BRIGHTNESS_STD))


def _contrast(source: Source) -> Tensor:
    return tf.color_scale(_only(source.happens(), (source.normal() * CONTRAST_STD).exp2(), 1.0))


def _lumaflip(source: Source) -> Tensor:
    flip = _only(source.happens(), (source.uniform() * 2).floor())
    return torch.eye(4) - 2 * flip[:, None, None] * tf.grey_projection()


def _hue(source: Source) -> Tensor:
    return tf.hue_rotation(_only(source.happens(), (2 * source.uniform() - 1) * math.pi))


def _saturation(source: Source) -> Tensor:
    factor = _only(source.happens(), (source.normal() * SATURATION_STD).exp2(), 1.0)[:, None, None]
    grey = tf.grey_projection()
    return grey + factor * (torch.eye(4) - grey)


_COLOR: dict[str, Callable[[Source], Tensor]] = {
    "brightness": _brightness,
    "contrast": _contrast,
    "lumaflip": _lumaflip,
    "hue": _hue,
    "saturation": _saturation,
}


def _recolor(frames: Tensor, operations: list[Tensor]) -> Tensor:
    """Apply matrices `[B, 4, 4]` to frames `[B, T, 3, H, W]`, the first one first."""
    total = torch.eye(4)
    for operation in operations:
        total = operation @ total
    total = to_device(total, frames.device, frames.dtype)
    mixed = torch.einsum("bij,btjhw->btihw", total[:, :3, :3], frames)
    return mixed + total[:, None, :3, 3, None, None]


def _band_gains(source: Source) -> Tensor:
    """Gains of the bands, `[B, 4]`; each amplification keeps the expected power."""
    gains = torch.ones(1, BANDS)
    for band in range(BANDS):
        gains = gains * band_gain(_only(source.happens(), (source.normal() * BAND_STD).exp2(), 1.0), band)
    return gains


def band_gain(amount: Tensor, band: int) -> Tensor:
    """Gains `[B, 4]` that amplify one band by `amount` `[B]` and bring the expected power back to 1."""
    gains = torch.ones(len(amount), BANDS)
    gains[:, band] = amount
    return gains / (POWER * gains.square()).sum(dim=1, keepdim=True).sqrt()


def _cutout_centre(source: Source) -> Tensor:
    """(x, y) in unit coordinates `[B, 2]`; far outside where nothing is cut out."""
    happens = source.happens()
    return torch.stack([_only(happens, source.uniform(), 9.0) for _ in range(2)], dim=1)


def _outside(centre: Tensor, height: int, width: int) -> Tensor:
    """1 outside a rectangle of half the sides, 0 inside, `[B, H, W]`."""
    inside = [
        ((torch.arange(side) + 0.5) / side - centre[:, axis, None]).abs() < CUTOUT_SIZE / 2
        for axis, side in ((0, width), (1, height))
    ]
    return 1.0 - (inside[1][:, :, None] & inside[0][:, None, :]).float()


def _to_cpu(values: Tensor) -> tuple[Tensor, torch.cuda.Event | None]:
    """A copy on its way to the CPU, and the event that says when it is there (None: it is)."""
    if not values.is_cuda:
        return values.cpu(), None
    target = torch.empty(values.shape, dtype=values.dtype, pin_memory=True)
    target.copy_(values, non_blocking=True)
    event = torch.cuda.Event()
    event.record()
    return target, event
