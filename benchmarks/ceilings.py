"""What the device does at best, measured beside every case that is held against it."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from statistics import median

import torch
import torch.nn.functional as F

from .harness import Run, measure
from .plan import Plan
from .precision import DTYPES, arithmetic
from .results import Case, Seconds


@dataclasses.dataclass(frozen=True)
class Ceiling:
    """`work` of one run: GFLOP, or GB read and written."""

    what: str
    run: Run
    work: float
    unit: str


def convolution(device: torch.device, precision: str) -> Ceiling:
    """C: 3×3, 128 channels, 128×128, channels-last, with the fastest of the library's algorithms."""
    n, c, side = 64 if device.type == "cuda" else 4, 128, 128
    x, weight = (_numbers(shape, device, precision) for shape in ((n, c, side, side), (c, c, 3, 3)))
    x, weight = (tensor.contiguous(memory_format=torch.channels_last) for tensor in (x, weight))

    def run() -> object:
        with _fastest():
            return F.conv2d(x, weight, padding=1)

    return Ceiling(f"{n}×{c}×{side}²", run, 2 * n * c * c * 9 * side**2 / 1e9, "GFLOP/s")


def gemm(device: torch.device, precision: str) -> Ceiling:
    m, n, k = (8192, 8192, 8192) if device.type == "cuda" else (4096, 512, 512)
    a, b, out = (_numbers(shape, device, precision) for shape in ((m, k), (k, n), (m, n)))
    return Ceiling(f"{m}×{k}×{n}", lambda: torch.mm(a, b, out=out), 2 * m * n * k / 1e9, "GFLOP/s")


def copy(device: torch.device, precision: str) -> Ceiling:
    """Of a tensor far beyond the caches; its bytes count twice, read and written."""
    size = 2**30 if device.type == "cuda" else 2**28
    source, target = (torch.ones(size, dtype=torch.uint8, device=device) for _ in range(2))
    return Ceiling(f"{size // 2**20} MiB", lambda: target.copy_(source), 2 * size / 1e9, "GB/s")


CEILINGS: Mapping[str, Callable[[torch.device, str], Ceiling]] = {
    "convolution": convolution,
    "gemm": gemm,
    "copy": copy,
}


def made(names: Iterable[str], device: torch.device, precision: str) -> dict[str, Ceiling]:
    return {name: CEILINGS[name](device, precision) for name in names}


def rates(ceilings: Mapping[str, Ceiling], samples: Mapping[str, Sequence[float]]) -> dict[str, float]:
    """Work a second of each ceiling that was measured."""
    return {name: c.work / median(samples[name]) for name, c in ceilings.items() if samples.get(name)}


def ceiling_cases(plan: Plan) -> Iterator[Case]:
    for precision in plan.precisions:
        with arithmetic(precision), torch.no_grad():
            ceilings = made(CEILINGS, plan.device, precision)
            found = measure({name: c.run for name, c in ceilings.items()}, plan.stopwatch, plan.budget)
        for name, ceiling in ceilings.items():
            samples = found.samples.get(name)
            yield Case(
                group="ceilings",
                subject=name,
                what=ceiling.what,
                precision=precision,
                seconds=Seconds.of(samples) if samples else None,
                rates={ceiling.unit: ceiling.work / median(samples)} if samples else {},
                error=found.errors.get(name, ""),
            )


def _numbers(shape: tuple[int, ...], device: torch.device, precision: str) -> torch.Tensor:
    generator = torch.Generator(device).manual_seed(0)
    return torch.empty(shape, dtype=DTYPES[precision], device=device).uniform_(-1, 1, generator=generator)


@contextlib.contextmanager
def _fastest() -> Iterator[None]:
    """cuDNN tries its algorithms and keeps the fastest, which by default it does not."""
    before = torch.backends.cudnn.benchmark
    torch.backends.cudnn.benchmark = True
    try:
        yield
    finally:
        torch.backends.cudnn.benchmark = before
