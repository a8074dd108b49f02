"""Inputs for every registered operation, so that a new one is tested by existing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor

from inrvid.kernels import bias_act, fir, fmm, inr_layer, modulate, normal, pointwise, strided, to_rgb, upfirdn
from inrvid.kernels.upfirdn import BINOMIAL

INF = float("inf")
ROOT2 = 2**0.5
TWELVE = (-0.01, -0.02, 0.04, 0.08, 0.15, 0.26, 0.26, 0.15, 0.08, 0.04, -0.02, -0.01)


class Case(NamedTuple):
    """An operation, its definition, and arguments for both in a precision."""

    op: str
    about: str
    definition: Callable[..., Any]
    make: Callable[[torch.dtype], tuple[Any, ...]]

    def arguments(self, dtype: torch.dtype) -> tuple[Any, ...]:
        torch.manual_seed(0)
        return self.make(dtype)

    def __str__(self) -> str:
        return f"{self.op}: {self.about}"


def numbers(*shape: int, dtype: torch.dtype) -> Tensor:
    return torch.randn(shape, dtype=torch.float64).to(dtype)


def scales(*shape: int, dtype: torch.dtype) -> Tensor:
    return (0.5 + torch.rand(shape, dtype=torch.float64)).to(dtype)


def wide(dtype: torch.dtype) -> torch.dtype:
    return torch.promote_types(dtype, torch.float32)


def _bias_act(
    *shape: int, bias: bool = True, scale: bool = True, slope: float = 0.2, gain: float = ROOT2, bound: float = 2.0
) -> Any:
    def make(dtype: torch.dtype) -> tuple[Any, ...]:
        n, _, c = shape
        return (
            numbers(*shape, dtype=dtype),
            numbers(c, dtype=dtype) if bias else None,
            scales(n, c, dtype=dtype) if scale else None,
            *(slope, gain, bound),
        )

    return make


def _bias_act_backward(*shape: int, **options: Any) -> Any:
    def make(dtype: torch.dtype) -> tuple[Any, ...]:
        x, *rest = _bias_act(*shape, **options)(dtype)
        return numbers(*shape, dtype=dtype), bias_act.definition.bias_act(x, *rest), *rest

    return make


def _upfirdn(*shape: int, taps: Any = BINOMIAL, up: int = 1, down: int = 1, padding: Any = (2, 1)) -> Any:
    return lambda dtype: (numbers(*shape, dtype=dtype), list(taps), up, down, list(padding), 1.0 * up * up)


def _upfirdn_bias_act(*shape: int, scale: bool = True, padding: Any = (1, 1), slope: float = 0.2) -> Any:
    def make(dtype: torch.dtype) -> tuple[Any, ...]:
        x, bias = numbers(*shape, dtype=dtype), numbers(shape[1], dtype=dtype)
        own = scales(*shape[:2], dtype=dtype) if scale else None
        return x, bias, own, list(BINOMIAL), list(padding), 4.0, slope, ROOT2, 3.0

    return make


def _fir(*shape: int, taps: Any = TWELVE, axis: int = 2, up: int = 1, down: int = 1, padding: Any = (2, 1)) -> Any:
    return lambda dtype: (numbers(*shape, dtype=dtype), list(taps), axis, up, down, list(padding), 1.5)


def _modulate(n: int, rows: int, channels: int) -> Any:
    return lambda dtype: (numbers(n, rows, channels, dtype=dtype), numbers(n, channels, dtype=dtype))


def _normal(n: int, rows: int, width: int) -> Any:
    def make(dtype: torch.dtype) -> tuple[Any, ...]:
        keys = torch.randint(2**32, (n, 4))
        return keys, torch.randint(-(2**40), 2**40, (n, rows)), width

    return make


def _modulate_backward(n: int, rows: int, channels: int) -> Any:
    return lambda dtype: (numbers(n, rows, channels, dtype=dtype), *_modulate(n, rows, channels)(dtype))


def _pointwise(n: int, rows: int, inner: int, out: int, bias: bool = True, slope: float = 0.2) -> Any:
    def make(dtype: torch.dtype) -> tuple[Any, ...]:
        x, weight = numbers(n, rows, inner, dtype=dtype), numbers(n, inner, out, dtype=dtype)
        return x, weight, numbers(out, dtype=dtype) if bias else None, slope

    return make


def _pointwise_backward(*sizes: int, slope: float, biased: bool = True) -> Any:
    def make(dtype: torch.dtype) -> tuple[Any, ...]:
        x, weight, bias, _ = _pointwise(*sizes, bias=biased)(dtype)
        y = pointwise.definition.pointwise(x, weight, bias, slope)
        return numbers(*y.shape, dtype=dtype), x, weight, y, slope, biased

    return make


def _inr_layer(
    n: int,
    frames: int,
    height: int,
    width: int,
    depth: int,
    out: int,
    coarse: bool = False,
    bias: bool = True,
    slope: float = 0.2,
    speed: float | tuple[float, ...] = 1.0,
) -> Any:
    """speed: of the waves, radians a point; one for each video, or for all."""

    def make(dtype: torch.dtype) -> tuple[Any, ...]:
        speeds = torch.tensor(speed, dtype=wide(dtype)).reshape(-1, 1)
        return (
            numbers(n, frames, height // 2, width // 2, out, dtype=dtype) if coarse else None,
            numbers(n, frames, depth, dtype=wide(dtype)),
            *(numbers(n, depth, dtype=wide(dtype)) * speeds for _ in range(2)),
            numbers(n, 2 * depth, out, dtype=dtype),
            numbers(out, dtype=dtype) if bias else None,
            *(height, width, slope),
        )

    return make


def _inr_layer_backward(*sizes: int, **options: Any) -> Any:
    def make(dtype: torch.dtype) -> tuple[Any, ...]:
        arguments = _inr_layer(*sizes, **options)(dtype)
        y = inr_layer.definition.inr_layer(*arguments)
        return numbers(*y.shape, dtype=dtype), y, *arguments

    return make


def _to_rgb(n: int, frames: int, height: int, width: int, channels: int, base: int = 0) -> Any:
    """base: 0 for none, 1 for one of this size, 2 for one of half the size."""

    def make(dtype: torch.dtype) -> tuple[Any, ...]:
        x = numbers(n, frames, height, width, channels, dtype=dtype)
        weight, bias = numbers(n, channels, 3, dtype=wide(dtype)), numbers(3, dtype=wide(dtype))
        if base == 0:
            return x, weight, bias, None
        return x, weight, bias, numbers(n, frames, height // base, width // base, 3, dtype=wide(dtype))

    return make


def _to_rgb_backward(*sizes: int, base: int = 0) -> Any:
    def make(dtype: torch.dtype) -> tuple[Any, ...]:
        x, weight, _, start = _to_rgb(*sizes, base=base)(dtype)
        return numbers(*x.shape[:4], 3, dtype=wide(dtype)), x, weight, start

    return make


def _fmm(n: int, out: int, inner: int, rank: int) -> Any:
    def make(dtype: torch.dtype) -> tuple[Any, ...]:
        return *(numbers(*s, dtype=dtype) for s in ((out, inner), (n, out, rank), (n, rank, inner))), ROOT2

    return make


def _fmm_backward(n: int, out: int, inner: int, rank: int) -> Any:
    return lambda dtype: (numbers(n, inner, out, dtype=dtype), *_fmm(n, out, inner, rank)(dtype))


def _strided(n: int, height: int, width: int, small: int, large: int, k: int = 3, rest: int = 0) -> Any:
    """A large map, a small one of `height` × `width`, a weight; rest: rows and columns that no patch reaches."""

    def make(dtype: torch.dtype) -> tuple[Tensor, Tensor, Tensor]:
        size = (2 * (height - 1) + k + rest, 2 * (width - 1) + k + rest)
        shapes = (n, large, *size), (n, small, height, width), (small, large, k, k)
        first, second, third = (numbers(*shape, dtype=dtype) for shape in shapes)
        return first, second, third

    return make


def _shrink(*sizes: int, **options: int) -> Any:
    return lambda dtype: _strided(*sizes, **options)(dtype)[::2]


def _grow(*sizes: int, **options: int) -> Any:
    def make(dtype: torch.dtype) -> tuple[Any, ...]:
        large, small, weight = _strided(*sizes, **options)(dtype)
        return small, weight, list(large.shape[2:])

    return make


def _correlate(*sizes: int, **options: int) -> Any:
    def make(dtype: torch.dtype) -> tuple[Any, ...]:
        large, small, weight = _strided(*sizes, **options)(dtype)
        return large, small, weight.shape[2]

    return make


def _cases(op: str, definition: Callable[..., Any], **made: Any) -> list[Case]:
    return [Case(op, about.replace("_", " "), definition, make) for about, make in made.items()]


CASES = [
    *_cases(
        "bias_act",
        bias_act.definition.bias_act,
        all_options=_bias_act(3, 37, 19),
        two_blocks_of_channels=_bias_act(2, 70, 130),
        no_scale=_bias_act(2, 9, 5, scale=False, bound=INF),
        no_bias=_bias_act(2, 9, 5, bias=False),
        no_activation=_bias_act(2, 9, 5, bias=False, slope=1.0, bound=INF),
        nothing=_bias_act(2, 9, 5, bias=False, scale=False, slope=1.0, gain=1.0, bound=INF),
        no_samples=_bias_act(0, 9, 5),
        no_rows=_bias_act(2, 0, 5),
    ),
    *_cases(
        "bias_act_backward",
        bias_act.definition.bias_act_backward,
        all_options=_bias_act_backward(3, 37, 19),
        no_scale=_bias_act_backward(2, 9, 5, scale=False, bound=INF),
        no_rows=_bias_act_backward(2, 0, 5),
    ),
    *_cases(
        "upfirdn",
        upfirdn.definition.upfirdn,
        same_size=_upfirdn(2, 5, 7, 6),
        up=_upfirdn(2, 5, 7, 6, up=2),
        down=_upfirdn(2, 5, 7, 6, down=2, padding=(1, 1)),
        down_odd=_upfirdn(2, 5, 7, 9, down=2, padding=(1, 1)),
        up_3_down_2=_upfirdn(1, 3, 5, 4, up=3, down=2),
        crop=_upfirdn(2, 3, 9, 8, padding=(-1, -2)),
        crop_up_3=_upfirdn(2, 3, 7, 6, taps=(0.1, 0.2, 0.3, 0.4, 0.5), up=3, padding=(-1, 4)),
        twelve_taps=_upfirdn(1, 2, 5, 4, taps=TWELVE, up=2, padding=(6, 5)),
        two_blocks_of_channels=_upfirdn(1, 70, 4, 6),
        several_strips=_upfirdn(1, 3, 37, 40),
        several_strips_down=_upfirdn(1, 70, 21, 69, down=2, padding=(1, 1)),
        no_samples=_upfirdn(0, 5, 7, 6),
    ),
    *_cases(
        "upfirdn_bias_act",
        upfirdn.definition.upfirdn_bias_act,
        scaled=_upfirdn_bias_act(2, 5, 7, 6),
        no_scale=_upfirdn_bias_act(2, 5, 6, 9, scale=False, padding=(2, 0)),
        no_activation=_upfirdn_bias_act(2, 5, 6, 6, slope=1.0),
        no_samples=_upfirdn_bias_act(0, 5, 7, 6),
    ),
    *_cases(
        "fir",
        fir.definition.fir,
        down=_fir(2, 5, 30, down=2, padding=(-1, -1)),
        down_columns=_fir(2, 31, 5, axis=1, down=2, padding=(6, 5)),
        up=_fir(3, 4, 9, up=2, padding=(6, 5)),
        up_columns=_fir(3, 9, 4, axis=1, up=2, padding=(6, 5)),
        several_tiles=_fir(1, 70, 150, taps=BINOMIAL, padding=(2, 1)),
        up_3_down_2=_fir(2, 3, 11, taps=BINOMIAL, up=3, down=2, padding=(-1, 4)),
        no_planes=_fir(0, 5, 30),
    ),
    *_cases(
        "modulate",
        modulate.definition.modulate,
        odd=_modulate(3, 37, 19),
        several_blocks=_modulate(2, 70, 130),
        no_samples=_modulate(0, 9, 5),
        no_rows=_modulate(2, 0, 5),
    ),
    *_cases(
        "modulate_backward",
        modulate.definition.modulate_backward,
        odd=_modulate_backward(3, 37, 19),
        several_blocks=_modulate_backward(2, 70, 130),
        no_rows=_modulate_backward(2, 0, 5),
    ),
    *_cases(
        "normal", normal.definition.normal, odd=_normal(3, 5, 7), wide=_normal(2, 3, 600), no_rows=_normal(2, 0, 5)
    ),
    *_cases(
        "pointwise",
        pointwise.definition.pointwise,
        odd=_pointwise(2, 70, 37, 33),
        several_blocks=_pointwise(1, 150, 66, 140),
        no_bias=_pointwise(2, 9, 5, 7, bias=False),
        linear=_pointwise(2, 9, 5, 7, slope=1.0),
        one=_pointwise(1, 1, 1, 1),
        no_samples=_pointwise(0, 9, 5, 7),
        no_rows=_pointwise(2, 0, 5, 7),
    ),
    *_cases(
        "pointwise_backward",
        pointwise.definition.pointwise_backward,
        odd=_pointwise_backward(2, 70, 37, 33, slope=0.2),
        linear=_pointwise_backward(2, 9, 5, 7, slope=1.0),
        no_bias=_pointwise_backward(2, 9, 5, 7, slope=0.2, biased=False),
        linear_no_bias=_pointwise_backward(2, 9, 5, 7, slope=1.0, biased=False),
        no_rows=_pointwise_backward(2, 0, 5, 7, slope=0.2),
    ),
    *_cases(
        "inr_layer",
        inr_layer.definition.inr_layer,
        odd=_inr_layer(2, 3, 5, 7, 5, 9),
        coarse=_inr_layer(2, 2, 6, 10, 5, 9, coarse=True),
        several_blocks=_inr_layer(1, 1, 6, 18, 37, 70, coarse=True),
        slow_waves=_inr_layer(1, 1, 16, 14, 20, 6, coarse=True, speed=0.01),
        slow_waves_of_several=_inr_layer(3, 2, 16, 14, 20, 6, coarse=True, speed=0.01),
        slow_along_one_axis=_inr_layer(1, 2, 4, 34, 20, 6, speed=0.01),
        a_speed_for_each_video=_inr_layer(4, 2, 16, 14, 20, 6, coarse=True, speed=(0.01, 0.01, 1.0, 0.1)),
        linear=_inr_layer(1, 2, 4, 4, 3, 5, coarse=True, bias=False, slope=1.0),
        no_samples=_inr_layer(0, 2, 4, 4, 3, 5, coarse=True),
        no_frames=_inr_layer(2, 0, 4, 4, 3, 5),
    ),
    *_cases(
        "inr_layer_backward",
        inr_layer.definition.inr_layer_backward,
        coarse=_inr_layer_backward(2, 2, 6, 10, 5, 9, coarse=True),
        linear=_inr_layer_backward(1, 2, 5, 3, 3, 5, slope=1.0),
        a_speed_for_each_video=_inr_layer_backward(4, 2, 16, 14, 20, 6, coarse=True, speed=(0.01, 0.01, 1.0, 0.1)),
        no_frames=_inr_layer_backward(2, 0, 4, 4, 3, 5),
    ),
    *_cases(
        "to_rgb",
        to_rgb.definition.to_rgb,
        first=_to_rgb(2, 3, 5, 7, 13),
        same_size=_to_rgb(2, 1, 5, 7, 13, base=1),
        doubled=_to_rgb(2, 1, 6, 4, 140, base=2),
        one_point_doubled=_to_rgb(1, 1, 2, 2, 4, base=2),
        no_samples=_to_rgb(0, 2, 6, 4, 5, base=2),
        no_frames=_to_rgb(2, 0, 6, 4, 5, base=2),
    ),
    *_cases(
        "to_rgb_backward",
        to_rgb.definition.to_rgb_backward,
        first=_to_rgb_backward(2, 3, 5, 7, 13),
        same_size=_to_rgb_backward(2, 1, 5, 7, 13, base=1),
        doubled=_to_rgb_backward(2, 1, 6, 4, 140, base=2),
        no_frames=_to_rgb_backward(2, 0, 6, 4, 5, base=2),
    ),
    *_cases(
        "fmm_weight",
        fmm.definition.fmm_weight,
        odd=_fmm(2, 19, 23, 3),
        several_blocks=_fmm(1, 35, 130, 10),
        no_samples=_fmm(0, 5, 7, 2),
    ),
    *_cases("fmm_weight_backward", fmm.definition.fmm_weight_backward, odd=_fmm_backward(2, 19, 23, 3)),
    *_cases(
        "shrink",
        strided.definition.shrink,
        odd=_shrink(2, 3, 5, 7, 4),
        rest=_shrink(1, 4, 3, 5, 2, rest=1),
        no_samples=_shrink(0, 4, 3, 5, 2),
    ),
    *_cases(
        "grow",
        strided.definition.grow,
        odd=_grow(2, 3, 5, 7, 4),
        rest=_grow(1, 4, 3, 5, 2, rest=1),
        no_samples=_grow(0, 4, 3, 5, 2),
    ),
    *_cases(
        "correlate",
        strided.definition.correlate,
        odd=_correlate(2, 3, 5, 7, 4),
        even_kernel=_correlate(1, 4, 3, 5, 2, k=4),
        rest=_correlate(1, 4, 3, 5, 2, rest=1),
    ),
]
