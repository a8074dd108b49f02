"""Landscapes as formulas: scenes that are functions of continuous (x, y, t).

Painted from back to front: a sky, a sun or moon on an arc, drifting clouds, three ranges of hills that scroll by with
parallax, and in some scenes a lake.

Arrays are `[H, T, W]`, colours `[3, H, T, W]` or `[3]`: everything drifts along x, so that noise is interpolated
between rows only once per video. x points right and y down, in units of the picture's height (the middle is 0.5); t is
in seconds; colours and light are in 0 … 1.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Collection
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...random import Draws

Array = NDArray[Any]

MIDDLE = 0.3
"""Seconds: the middle of 16 frames at 25 fps; suns are up at about this time."""

LATTICE = 32
"""Noise repeats after this many cells of its octave."""

# zenith, horizon, sun or moon, clouds, land; a video mixes the two palettes of its time of day
PALETTES = {
    "dawn": ("#4a5fa8 #ffc79a #fff2b8 #ffb3b0 #5a3f6b", "#5fb0b8 #ffd9e6 #ffe98a #fff0f0 #3f6b5a"),
    "day": ("#1f6fd0 #bfe6ff #fffbe0 #ffffff #3f8a35", "#1296a8 #e8f2c4 #fff3a0 #f6fbff #b5802f"),
    "dusk": ("#352a6b #ff7a3c #ffd04a #e2607a #33183f", "#7a2a5c #ffb02e #fff0a0 #c94a4a #542222"),
    "night": ("#060a26 #29558f #f2f4ff #4a5f94 #0b1a33", "#0a0620 #2b8078 #e6ffe8 #3a4a78 #10282b"),
}
WHITE = np.ones(3, np.float32)
ELEMENTS = ("clouds", "hills", "lake")


@dataclasses.dataclass(frozen=True)
class Palette:
    """Colours of a scene, float32 `[3]` each."""

    zenith: Array
    horizon: Array
    light: Array
    cloud: Array
    land: Array

    @classmethod
    def mixed(cls, time_of_day: str, weight: float, turn: float) -> Palette:
        """The two palettes of `time_of_day` mixed by `weight`, all hues turned by `turn` radians."""
        first, second = (np.array([_rgb(code) for code in text.split()]) for text in PALETTES[time_of_day])
        colours = (first + weight * (second - first)) @ _hue_rotation(turn).T
        return cls(*np.clip(colours, 0, 1).astype(np.float32))


class Noise:
    """Smooth value noise around 0.5, one octave per lattice of uniform numbers, `[octaves, LATTICE, LATTICE]`."""

    def __init__(self, lattices: Array):
        self.lattices = lattices

    def __call__(self, x: Array, y: Array, drift: Array, shear: float = 0.0) -> Array:
        """Values `[H, T, W]` at columns x `[W]` + drift `[T]` and rows y `[H]`, in cells of the first octave.

        Octave k drifts (1 + k·shear) times as fast: with a shear, what drifts also changes its shape.
        """
        total, weights = np.float32(0), 0.0
        for octave, lattice in enumerate(self.lattices):
            columns = x + drift[:, None] * (1 + octave * shear)
            rows = _interpolate(lattice, y[:, None] * 2**octave, axis=0)  # [H, LATTICE]
            total = total + _interpolate(rows, columns * 2**octave, axis=1) * np.float32(0.5**octave)
            weights += 0.5**octave
        return total / np.float32(weights)


@dataclasses.dataclass(frozen=True)
class Points:
    """Where and when a scene is evaluated: x `[W]`, y `[H]`, t `[T]`, and the distance between two rows."""

    x: Array
    y: Array
    t: Array
    spacing: float

    @classmethod
    def of(cls, t: Array, height: int, width: int) -> Points:
        """The centres of `height` × `width` cells that fill the picture, whose height is 1."""
        x = (np.arange(width) + 0.5 - width / 2) / height + 0.5
        return cls(x, (np.arange(height) + 0.5) / height, np.asarray(t, np.float64), 1 / height)

    def inside(self, depth: Array) -> Array:
        """Opacity of points at `depth` inside an edge (< 0: outside), softened over one row."""
        return np.clip(depth * np.float32(1 / self.spacing) + np.float32(0.5), 0, 1)

    def below(self, image: Array, y: float) -> tuple[Array, Points]:
        """The rows of `image`, and their points, from an edge at `y` down: those above need no paint."""
        first = int(np.searchsorted(self.y, y - self.spacing))
        return image[:, first:], dataclasses.replace(self, y=self.y[first:])


class Sun:
    """A disc, the sun or the moon, that moves steadily along an ellipse; below the horizon it is night."""

    def __init__(self, draws: Draws):
        turn, across, rise, radius, phase, speed = _uniform(draws, 6)
        self.centre, self.across, self.rise = 0.5, 0.36 + 0.16 * across, 0.38 + 0.14 * rise
        self.radius = 0.1 + 0.06 * radius
        self.speed = math.copysign(1.5 + 1.3 * speed, turn - 0.5)  # radians a second
        self.phase = math.pi * (0.15 + 0.7 * phase) - self.speed * MIDDLE

    def position(self, t: Array) -> tuple[Array, Array]:
        """x and y of the centre at times t, `[T]` each."""
        angle = self.phase + self.speed * t
        return self.centre + self.across * np.cos(angle), 0.62 - self.rise * np.sin(angle)

    def daylight(self, t: Array) -> Array:
        """Brightness of the whole scene, 0.55 … 1, by the sun's height: `[T, 1]`."""
        height = np.sin(self.phase + self.speed * t)
        return (0.55 + 0.45 * _smoothstep(-0.2, 0.8, height)).astype(np.float32)[:, None]

    def distance(self, points: Points) -> Array:
        """Distance of each point from the centre, `[H, T, W]`."""
        x, y = self.position(points.t)
        across = (points.x - x[:, None]).astype(np.float32) ** 2
        return np.sqrt(across + ((points.y[:, None] - y).astype(np.float32) ** 2)[..., None])


class Clouds:
    """A sheet of cloud that the wind drives along x; dense parts are dark, thin ones lit."""

    def __init__(self, draws: Draws):
        way, wind, cover, size = _uniform(draws, 4)
        self.wind = math.copysign(0.4 + 0.6 * wind, way - 0.5)  # heights of the picture a second
        self.threshold, self.cell = 0.56 - 0.13 * cover, 0.6 + 0.25 * size
        self.noise = Noise(draws.uniform(2, LATTICE, LATTICE).numpy()[0])

    def density(self, points: Points) -> Array:
        """Below 0: clear; from about 0.2: opaque. `[H, T, W]`."""
        drift = -self.wind * points.t / self.cell
        noise = self.noise(points.x / self.cell, 2 * points.y / self.cell, drift, shear=0.06)
        return noise - np.float32(self.threshold)

    def paint(self, image: Array, points: Points, palette: Palette, glow: Array) -> None:
        """`glow`: how near the sun is, 0 … 1, `[H, T, W]`."""
        density = self.density(points)
        opacity = _smoothstep(0.0, 0.22, density)
        shade = _smoothstep(0.04, 0.3, density) * 0.6
        colour = _mix(_column(palette.cloud), _column(0.5 * palette.cloud + 0.5 * palette.zenith), shade)
        colour = _mix(colour, _column(palette.light), glow * (1 - shade) * 0.6)
        _cover(image, colour, opacity * 0.95)


class Hills:
    """One range of hills: an outline that scrolls along x, lit from the sun's side, misty at its foot."""

    def __init__(self, draws: Draws, level: float, size: float, speed: float, haze: float):
        self.level = level + 0.06 * (float(_uniform(draws, 1)[0]) - 0.5)
        self.size, self.speed, self.haze = size, speed, haze
        self.outline = Noise(draws.uniform(2, LATTICE, LATTICE).numpy()[0])
        self.texture = Noise(draws.uniform(1, LATTICE, LATTICE).numpy()[0])

    def crest(self, points: Points, shift: float = 0.0) -> Array:
        """y of the outline, `[T, W]`, at x + `shift`."""
        cell = 2.6 * self.size
        height = self.outline((points.x + shift) / cell, np.zeros(1), -self.speed * points.t / cell)[0]
        return self.level - np.float32(2.2 * self.size) * (height - np.float32(0.5))

    def paint(self, image: Array, points: Points, palette: Palette, sun_x: Array, snow: float) -> None:
        crest = self.crest(points)
        image, points = points.below(image, crest.min())
        depth = points.y.astype(np.float32)[:, None, None] - crest
        opacity = points.inside(depth)
        light = self._light(points, crest, depth, sun_x)
        _cover(image, self._colour(palette, depth, light, snow), opacity)

    def _light(self, points: Points, crest: Array, depth: Array, sun_x: Array) -> Array:
        """Light from the slope towards the sun, with the ground's texture on it, `[H, T, W]`."""
        slope = (self.crest(points, 0.02) - crest) / np.float32(0.02)  # > 0: falls to the right
        side = np.clip((sun_x[:, None] - points.x) * 3, -1, 1).astype(np.float32)
        near_crest = 1 - _smoothstep(0.0, 1.5, depth / np.float32(self.size))
        cell = 2 * self.size
        ground = self.texture(points.x / cell, 1.6 * points.y / cell, -self.speed * points.t / cell)
        return (1 + np.clip(0.5 * side * slope, -0.5, 0.5) * near_crest) * (0.8 + 0.4 * ground)

    def _colour(self, palette: Palette, depth: Array, light: Array, snow: float) -> Array:
        land = _mix(_column(palette.land), _column(palette.horizon), np.float32(self.haze))
        cap = snow * (1 - _smoothstep(0.3, 0.7, depth / np.float32(self.size)))
        mist = _smoothstep(0.0, 3.0, depth / np.float32(self.size)) * np.float32(0.5)
        lit = _mix(land, _column(0.7 * WHITE + 0.3 * palette.light), cap) * light
        return _mix(lit, _column(palette.horizon), mist)


class Lake:
    """Still water in the foreground: the sky upside down, with a rippled path of light under the sun."""

    def __init__(self, draws: Draws, speed: float):
        self.level = 0.76 + 0.06 * float(_uniform(draws, 1)[0])
        self.speed = speed
        self.ripples = Noise(draws.uniform(2, LATTICE, LATTICE).numpy()[0])

    def paint(self, image: Array, points: Points, palette: Palette, sun_x: Array) -> None:
        image, points = points.below(image, self.level)
        depth = (points.y - self.level).astype(np.float32)[:, None, None]
        opacity = points.inside(depth)
        ripples = self.ripples(points.x / 0.4, points.y / 0.1, -self.speed * points.t / 0.4)
        nearness = (points.x - sun_x[:, None]).astype(np.float32) / (0.08 + 0.5 * np.maximum(depth, 0))
        colour = _sky(palette, self.level - 2.5 * depth) * (0.6 + 0.5 * ripples)
        path = np.exp(-(nearness**2)) * _smoothstep(0.35, 0.6, ripples)
        _cover(image, _mix(colour, _column(palette.light), path * 0.8), opacity)


class Scene:
    """Everything that is sampled once per video: colours, sun, clouds, hills, lake.

    Args:
        draws: the video's random numbers, one row.
        time_of_day: a key of `PALETTES`.
        elements: which of `ELEMENTS` may appear, besides the sky and its sun or moon. Leaving one out uncovers what
            lies behind it.
    """

    def __init__(self, draws: Draws, time_of_day: str, elements: Collection[str] = ELEMENTS):
        weight, turn, way, pan, snow, lake = _uniform(draws, 6)
        self.palette = Palette.mixed(time_of_day, float(weight), 0.4 * float(turn - 0.5))
        self.snow = max(0.0, 4 * float(snow) - 3)
        pan = math.copysign(0.3 + 0.3 * pan, way - 0.5)  # of the camera, heights of the picture a second
        self.sun, self.clouds = Sun(draws), Clouds(draws)
        self.hills = [
            Hills(draws, 0.60, 0.24, 0.4 * pan, 0.4),
            Hills(draws, 0.74, 0.18, 0.8 * pan, 0.15),
            Hills(draws, 0.90, 0.12, 1.2 * pan, 0.0),
        ]
        self.lake = Lake(draws, 1.0 * pan) if lake < 0.25 and "lake" in elements else None
        self.elements = elements

    def draw(self, points: Points) -> Array:
        """float32 `[3, H, T, W]`, 0 … 1."""
        distance = self.sun.distance(points)
        sun_x, _ = self.sun.position(points.t)
        image = np.empty((3, *distance.shape), np.float32)
        image[:] = _sky(self.palette, points.y.astype(np.float32)[:, None, None])
        glow = np.exp(-((distance / np.float32(0.3)) ** 2))
        light = _column(self.palette.light)
        _cover(image, light, 0.6 * glow)
        _cover(image, light, points.inside(self.sun.radius - distance))
        if "clouds" in self.elements:
            self.clouds.paint(image, points, self.palette, glow)
        self._paint_land(image, points, sun_x)
        image *= self.sun.daylight(points.t)
        return image

    def _paint_land(self, image: Array, points: Points, sun_x: Array) -> None:
        far, middle, near = self.hills
        hilly = "hills" in self.elements
        if hilly:
            far.paint(image, points, self.palette, sun_x, self.snow)
        if self.lake:  # where the middle range would be
            self.lake.paint(image, points, self.palette, sun_x)
        elif hilly:
            middle.paint(image, points, self.palette, sun_x, 0.0)
        if hilly:
            near.paint(image, points, self.palette, sun_x, 0.0)


def _sky(palette: Palette, y: Array) -> Array:
    """The gradient from zenith to horizon at heights y `[H, 1, 1]`: `[3, H, 1, 1]`."""
    return _mix(_column(palette.zenith), _column(palette.horizon), _smoothstep(-0.05, 0.65, y))


def _uniform(draws: Draws, count: int) -> Array:
    return draws.uniform(count).numpy()[0]


def _interpolate(values: Array, position: Array, axis: int) -> Array:
    """`values` `[R, C]`, one per cell and periodic, at `position` (cells) along `axis`, eased between cells.

    `position` is `[H, 1]` for axis 0, which gives `[H, C]`, and `[T, W]` for axis 1: `[R, T, W]`.
    """
    cell = np.floor(position)
    index = cell.astype(np.int64) % values.shape[axis]
    weight = _smoothstep(0.0, 1.0, (position - cell).astype(np.float32))
    if axis == 0:
        index = index[:, 0]
    left = np.take(values, index, axis)
    right = np.take(values, (index + 1) % values.shape[axis], axis)
    right -= left
    right *= weight
    right += left
    return right


def _smoothstep(low: float, high: float, value: Array) -> Array:
    x = np.clip((value - low) * (1 / (high - low)), 0, 1)
    return x * x * (3 - 2 * x)


def _column(colour: Array) -> Array:
    return colour.astype(np.float32)[:, None, None, None]


def _mix(first: Array, second: Array, weight: Array | np.float32) -> Array:
    mixed = (second - first) * weight
    mixed += first
    return mixed


def _cover(image: Array, colour: Array, opacity: Array) -> None:
    """Paint `colour` over `image`, in place."""
    change = colour - image
    change *= opacity
    image += change


def _rgb(code: str) -> list[float]:
    return [int(code[start : start + 2], 16) / 255 for start in (1, 3, 5)]


def _hue_rotation(angle: float) -> Array:
    """The rotation of RGB space about its grey axis (Rodrigues' formula), `[3, 3]`."""
    across = np.array([[0, -1, 1], [1, 0, -1], [-1, 1, 0]]) / math.sqrt(3)
    return np.eye(3) * math.cos(angle) + (1 - math.cos(angle)) / 3 + math.sin(angle) * across
