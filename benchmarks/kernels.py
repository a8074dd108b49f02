"""Every operation of `inrvid.kernels` at the papers' sizes, against "eager": its definition, run by PyTorch.

A case is the torch custom op itself, called with arguments whose bytes can be counted: at the least, its tensors are
read once and its results are written once. Its FLOP are those of its matrix products and filters. The time in which
the device could do both at best, at the rates of the copy and the matrix product measured in turns with it, over the
time it took, is the fraction of the ceiling.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterable, Iterator
from statistics import median
from typing import Any

import torch
from torch import Tensor

from inrvid.kernels import (  # noqa: F401 (registers torch.ops.inrvid)
    bias_act,
    fir,
    fmm,
    inr_layer,
    modulate,
    normal,
    pointwise,
    strided,
    to_rgb,
    upfirdn,
)
from inrvid.kernels.dispatch import use_backend
from inrvid.kernels.operation import OPERATIONS

from .ceilings import made, rates
from .harness import Measured, Run, measure, one_line
from .plan import Plan
from .precision import DTYPES, arithmetic
from .results import Case, Seconds

GAIN = math.sqrt(2)
TAPS = list(upfirdn.BINOMIAL)


class Numbers:
    """Reproducible arguments in one precision on one device."""

    def __init__(self, device: torch.device, dtype: torch.dtype):
        self.device, self.dtype = device, dtype
        self._generator = torch.Generator(device).manual_seed(0)

    def __call__(self, *shape: int, centre: float = 0.0, spread: float = 1.0, wide: bool = False) -> Tensor:
        """U[centre − spread, centre + spread); `wide`: in float32 at least."""
        dtype = torch.promote_types(self.dtype, torch.float32) if wide else self.dtype
        values = torch.empty(shape, dtype=dtype, device=self.device)
        return values.uniform_(centre - spread, centre + spread, generator=self._generator)

    def maps(self, n: int, c: int, height: int, width: int) -> Tensor:
        """Feature maps in channels-last memory."""
        return self(n, height, width, c).permute(0, 3, 1, 2)


@dataclasses.dataclass(frozen=True)
class Kernel:
    """A call of `torch.ops.inrvid.<op>`."""

    op: str
    size: str
    arguments: Callable[[Numbers], tuple[Any, ...]]
    flop: int = 0
    """Of matrix products and filters, 2 a multiply-add."""


def all_kernels(*, quick: bool = False) -> list[Kernel]:
    """At the sizes of DIGAN at 128² and StyleGAN-V at 256², 16 frames; gradients of 4 clips of 2 or 3 frames."""
    side, frames, width = (32, 2, 32) if quick else (128, 16, 256)
    return [
        *bias_act_kernels(frames, width // 4, 2 * side),
        *upfirdn_kernels(frames, width // 4, 2 * side),
        *modulate_kernels(frames, width // 4, 2 * side),
        *fir_kernels(9 * frames, 2 * side),
        *strided_kernels(3, width, width // 2, side // 2),
        *pointwise_kernels(frames, side, width),
        *inr_layer_kernels(frames, side, width // 2, width),
        *to_rgb_kernels(frames, side, width),
        *fmm_kernels(4, width, 3 * width, rank=10),
        normal_kernel(64, 12, 2 * width),
    ]


def bias_act_kernels(n: int, c: int, side: int) -> list[Kernel]:
    def arguments(of: Numbers) -> tuple[Any, ...]:
        return of(n, side * side, c), of(c), of(n, c, centre=1, spread=0.5), 0.2, GAIN, 256.0

    return [
        Kernel("bias_act", f"{n}×{c}×{side}²", arguments),
        Kernel("bias_act_backward", f"{n}×{c}×{side}²", lambda of: (of(n, side * side, c), *arguments(of))),
    ]


def upfirdn_kernels(n: int, c: int, side: int) -> list[Kernel]:
    taps = len(TAPS)

    def fused(of: Numbers) -> tuple[Any, ...]:
        x = of.maps(n, c, side + 1, side + 1)
        return x, of(c), of(n, c, centre=1, spread=0.5), TAPS, [1, 1], 4.0, 0.2, GAIN, 256.0

    def doubled(of: Numbers) -> tuple[Any, ...]:
        return of.maps(n, 3, side // 2, side // 2), TAPS, 2, 1, [2, 1], 4.0

    def halved(of: Numbers) -> tuple[Any, ...]:
        return of.maps(n, c, side, side), TAPS, 1, 2, [1, 1], 1.0

    return [
        Kernel("upfirdn", f"up 2 {n}×3×{side // 2}²", doubled, 2 * n * 3 * side**2 * (taps // 2) ** 2),
        Kernel("upfirdn", f"down 2 {n}×{c}×{side}²", halved, 2 * n * c * (side // 2) ** 2 * taps**2),
        Kernel("upfirdn_bias_act", f"{n}×{c}×{side + 1}²", fused, 2 * n * c * side**2 * taps**2),
    ]


def modulate_kernels(n: int, c: int, side: int) -> list[Kernel]:
    def arguments(of: Numbers) -> tuple[Any, ...]:
        return of(n, side * side, c), of(n, c, centre=1, spread=0.5)

    return [
        Kernel("modulate", f"{n}×{c}×{side}²", arguments),
        Kernel("modulate_backward", f"{n}×{c}×{side}²", lambda of: (of(n, side * side, c), *arguments(of))),
    ]


def fir_kernels(planes: int, side: int) -> list[Kernel]:
    """Of a warp (`augment.warp`): pictures of clips, in float32 whatever the networks run in."""
    taps = [1 / 12] * 12

    def filtered(height: int, width: int, axis: int, up: int, down: int) -> Kernel:
        padding = [6, 5] if up > 1 else [0, 0]

        def arguments(of: Numbers) -> tuple[Any, ...]:
            return of(planes, height, width, wide=True), taps, axis, up, down, padding, 1.0

        what = f"{'up' if up > 1 else 'down'} 2 along {'rows' if axis == 2 else 'columns'}, {planes}×{height}×{width}"
        size = planes * height * width * (up if up > 1 else 1) // down
        return Kernel("fir", what, arguments, 2 * size * len(taps) // up)

    return [
        filtered(side, side, 2, 2, 1),
        filtered(side, 2 * side, 1, 2, 1),
        filtered(2 * side, 2 * side, 2, 1, 2),
        filtered(2 * side, side, 1, 1, 2),
    ]


def strided_kernels(n: int, small: int, large: int, side: int) -> list[Kernel]:
    """An upsampling convolution from side² to (2·side + 1)², its adjoint and the gradient of its weight."""

    def maps(of: Numbers) -> tuple[Tensor, Tensor]:
        return of.maps(n, large, 2 * side + 1, 2 * side + 1), of.maps(n, small, side, side)

    def weight(of: Numbers) -> Tensor:
        return of.maps(small, large, 3, 3)

    flop, size = 2 * n * small * large * 9 * side**2, f"{n}×{small}×{side}²"
    return [
        Kernel("shrink", f"{n}×{large}×{2 * side + 1}² → {small}", lambda of: (maps(of)[0], weight(of)), flop),
        Kernel("grow", f"{size} → {large}", lambda of: (maps(of)[1], weight(of), [2 * side + 1] * 2), flop),
        Kernel("correlate", f"{size}, {large}", lambda of: (*maps(of), 3), flop),
    ]


def pointwise_kernels(frames: int, side: int, width: int) -> list[Kernel]:
    def forward(b: int, m: int) -> Kernel:
        def arguments(of: Numbers) -> tuple[Any, ...]:
            return of(b, m, width), of(b, width, width, spread=width**-0.5), of(width), 0.2

        return Kernel("pointwise", f"{b}×{m}×{width}→{width}", arguments, 2 * b * m * width * width)

    def backward(b: int, m: int) -> Kernel:
        def arguments(of: Numbers) -> tuple[Any, ...]:
            x, weight = of(b, m, width), of(b, width, width, spread=width**-0.5)
            return of(b, m, width), x, weight, of(b, m, width), 0.2, True

        return Kernel("pointwise_backward", f"{b}×{m}×{width}→{width}", arguments, 4 * b * m * width * width)

    return [forward(1, frames * side**2), backward(4, 2 * side**2)]


def inr_layer_kernels(frames: int, side: int, waves: int, width: int) -> list[Kernel]:
    """Frequencies as DIGAN's at initialisation, N(0, √10²) radians a unit of [−1, 1]."""

    def layer(of: Numbers, b: int, t: int) -> tuple[Any, ...]:
        origin = of(b, t, waves, spread=math.pi, wide=True)
        down, right = (_steps(of, b, waves, side) for _ in range(2))
        weight = of(b, 2 * waves, width, spread=waves**-0.5)
        return of(b, t, side // 2, side // 2, width), origin, down, right, weight, of(width), side, side, 0.2

    def backward(of: Numbers, b: int, t: int) -> tuple[Any, ...]:
        return of(b, t, side, side, width), of(b, t, side, side, width), *layer(of, b, t)

    def flop(b: int, t: int) -> int:
        return 2 * b * t * side**2 * 2 * waves * width

    size = f"{side}² {2 * waves}→{width}"
    return [
        Kernel("inr_layer", f"1×{frames}×{size}", lambda of: layer(of, 1, frames), flop(1, frames)),
        Kernel("inr_layer_backward", f"4×2×{size}", lambda of: backward(of, 4, 2), 2 * flop(4, 2)),
    ]


def to_rgb_kernels(frames: int, side: int, width: int) -> list[Kernel]:
    def layer(of: Numbers, b: int, t: int, *, bias: bool) -> tuple[Any, ...]:
        weight, base = of(b, width, 3, wide=True), of(b, t, side // 2, side // 2, 3, wide=True)
        return of(b, t, side, side, width), weight, *([of(3, wide=True)] if bias else []), base

    def backward(of: Numbers) -> tuple[Any, ...]:
        return of(4, 2, side, side, 3, wide=True), *layer(of, 4, 2, bias=False)

    def flop(b: int, t: int) -> int:
        return 2 * b * t * side**2 * width * 3

    size = f"{side}²×{width}"
    return [
        Kernel("to_rgb", f"1×{frames}×{size}", lambda of: layer(of, 1, frames, bias=True), flop(1, frames)),
        Kernel("to_rgb_backward", f"4×2×{size}", backward, 2 * flop(4, 2)),
    ]


def fmm_kernels(b: int, out: int, into: int, *, rank: int) -> list[Kernel]:
    def arguments(of: Numbers) -> tuple[Any, ...]:
        return of(out, into), of(b, out, rank), of(b, rank, into, spread=0.1), GAIN

    product, size = 2 * b * out * rank * into, f"{b}×{into}→{out}"
    return [
        Kernel("fmm_weight", size, arguments, product),
        Kernel("fmm_weight_backward", size, lambda of: (of(b, into, out), *arguments(of)), 3 * product),
    ]


def normal_kernel(n: int, rows: int, width: int) -> Kernel:
    """Of the motion codes of a batch."""

    def arguments(of: Numbers) -> tuple[Any, ...]:
        keys = torch.randint(2**32, (n, 4), device=of.device)
        return keys, torch.arange(rows, device=of.device).expand(n, -1), width

    return Kernel("normal", f"{n}×{rows}×{width}", arguments)


def kernel_cases(plan: Plan) -> Iterator[Case]:
    for kernel in all_kernels(quick=plan.quick):
        for precision in plan.precisions:
            try:
                yield measured(kernel, precision, plan)
            except RuntimeError as error:  # its arguments do not fit
                yield Case(
                    group="kernels", subject=kernel.op, what=kernel.size, precision=precision, error=one_line(error)
                )


def measured(kernel: Kernel, precision: str, plan: Plan) -> Case:
    with arithmetic(precision), torch.no_grad():
        arguments = kernel.arguments(Numbers(plan.device, DTYPES[precision]))
        ceilings = made(("gemm", "copy"), plan.device, precision)
        runs: dict[str, Run] = {name: ceiling.run for name, ceiling in ceilings.items()}
        runs |= {"kernel": lambda: call(kernel.op, arguments), "eager": lambda: eager(kernel.op, arguments)}
        if plan.compiled:
            function = torch.compile(OPERATIONS[kernel.op].definition, dynamic=False)
            runs["compiled"] = lambda: function(*arguments)
        found = measure(runs, plan.kernel_stopwatch, plan.budget)
        moved = 0 if "kernel" in found.errors else moved_bytes(arguments, call(kernel.op, arguments))
    return _record(kernel, precision, found, rates(ceilings, found.samples), moved)


def call(op: str, arguments: tuple[Any, ...]) -> Any:
    return getattr(torch.ops.inrvid, op)(*arguments)


def eager(op: str, arguments: tuple[Any, ...]) -> Any:
    with use_backend("definition"):
        return call(op, arguments)


def moved_bytes(arguments: Iterable[Any], results: Any) -> int:
    """Bytes that must move at the least: every tensor read, and every result written, once."""
    results = results if isinstance(results, tuple | list) else (results,)
    tensors = (x for x in (*arguments, *results) if isinstance(x, Tensor))
    return sum(x.numel() * x.element_size() for x in tensors)


def fraction_of_ceiling(flop: float, moved: float, seconds: float, ceilings: dict[str, float]) -> float:
    """The least time that `flop` and `moved` bytes take at the ceilings' GFLOP/s and GB/s, over `seconds`."""
    return max(flop / 1e9 / ceilings["gemm"], moved / 1e9 / ceilings["copy"]) / seconds


def _record(kernel: Kernel, precision: str, found: Measured, ceilings: dict[str, float], moved: int) -> Case:
    samples, own = found.samples.get("kernel"), found.samples.get("eager")
    values: dict[str, Any] = {}
    if samples:
        seconds = median(samples)
        values["seconds"] = Seconds.of(samples)
        values["rates"] = {"GB/s": moved / 1e9 / seconds}
        values["rates"] |= {"GFLOP/s": kernel.flop / 1e9 / seconds} if kernel.flop else {}
        values["ratios"] = {"of_ceiling": fraction_of_ceiling(kernel.flop, moved, seconds, ceilings)}
        values["ratios"] |= {"over_eager": median(own) / seconds} if own else {}
        values["parts"] = {key: median(found.samples[key]) for key in ("eager", "compiled") if key in found.samples}
        values["memory"] = {"moved": moved}
    return Case(
        group="kernels",
        subject=kernel.op,
        what=kernel.size,
        precision=precision,
        ceilings=ceilings,
        error=found.errors.get("kernel", ""),
        note=f"eager: {found.errors['eager']}" if "eager" in found.errors else "",
        **values,
    )


def _steps(of: Numbers, b: int, waves: int, side: int) -> Tensor:
    generator = torch.Generator(of.device).manual_seed(1)
    frequencies = torch.randn(b, waves, device=of.device, generator=generator) * math.sqrt(10)
    return frequencies * (2 / side)
