"""Every operation at the papers' sizes: against its definition, against torch.compile, beside the device's ceilings."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import torch

from ..kernels import Kernel, all_kernels, measured
from ..plan import Options, planned
from ..precision import supported
from .record import Record, Values


def run(record: Record, smoke: bool) -> None:
    plan = planned(Options(quick=True, cpu=record.device.type == "cpu"))
    plan = dataclasses.replace(plan, quick=smoke, compiled=not smoke and not record.only)
    precisions = supported(record.device)
    import torch._dynamo  # noqa: F401  (the first call would pay for it)

    for precision in precisions[:1] if smoke else ("bf16", "fp16", "tf32", "fp32"):
        for kernel in all_kernels(quick=smoke):
            record.add(f"{kernel.op}/{kernel.size}/{precision}", _case(kernel, precision, plan))


def _case(kernel: Kernel, precision: str, plan) -> Callable[[], Values]:
    def measure() -> Values:
        case = measured(kernel, precision, plan)
        torch.compiler.reset()
        if case.error or case.seconds is None:
            return {"error": case.error}
        found: Values = {"µs": 1e6 * case.seconds.median, **case.rates, **case.ratios}
        found |= {f"{name}, µs": 1e6 * seconds for name, seconds in case.parts.items()}
        return found | {f"{name} at best": rate for name, rate in case.ceilings.items()}

    return measure
