"""Compile the Triton kernels for NVIDIA chips, on a machine that need not have one, and print what they use as JSON.

    python -m tests.kernels.compile_ahead 80 90

The launchers run on tensors without memory; a driver that only knows the chip's name stands where the GPU's would,
and a launch compiles the kernel with the block sizes, alignments and constants that it was called with.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
import triton
from torch import Tensor
from triton.backends.compiler import GPUTarget
from triton.runtime.driver import driver
from triton.runtime.jit import JITFunction

from inrvid.kernels.bias_act import triton as bias_act
from inrvid.kernels.fir import triton as fir
from inrvid.kernels.fmm import triton as fmm
from inrvid.kernels.inr_layer import triton as inr_layer
from inrvid.kernels.modulate import triton as modulate
from inrvid.kernels.normal import triton as normal
from inrvid.kernels.pointwise import triton as pointwise
from inrvid.kernels.to_rgb import triton as to_rgb
from inrvid.kernels.upfirdn import triton as upfirdn

BINOMIAL = [0.125, 0.375, 0.375, 0.125]
ACTIVATION = (0.2, 2**0.5, 256.0)  # slope, gain, bound


class NoGPU:
    """The part of a driver that compilation asks."""

    def __init__(self, capability: int):
        self.target = GPUTarget("cuda", capability, 32)

    def get_current_target(self) -> GPUTarget:
        return self.target

    def get_current_device(self) -> int:
        return self.target.arch  # distinguishes the chips in Triton's caches

    def get_current_stream(self, device: int) -> int:
        return 0


def main() -> None:
    compiled: list[dict[str, Any]] = []
    run = JITFunction.run

    def compile_only(kernel: Any, *arguments: Any, grid: Any, warmup: bool, **constants: Any) -> None:
        result = run(kernel, *arguments, grid=grid, warmup=True, **constants)
        name = f"{kernel.__module__.split('.')[-2]}.{kernel.__name__}"
        compiled.append({"kernel": name, **usage(result)})

    JITFunction.run = compile_only
    for chip in sys.argv[1:]:
        driver.set_active(NoGPU(int(chip)))
        for case, launch in launches(last=chip == sys.argv[-1]):
            first = len(compiled)
            launch()
            for entry in compiled[first:]:
                entry.update(chip=int(chip), case=case)
    print(json.dumps(compiled))


def launches(last: bool) -> Iterator[tuple[str, Callable[[], Any]]]:
    """(name, call) of every launcher at sizes of the models.

    On the last chip also those that differ little between chips: plain passes in float32, and sizes of 1, which
    Triton makes constants.
    """
    yield "bfloat16", lambda: launch_all(torch.bfloat16, 2, 3, 64, 256, 256)
    if last:
        yield "float16", lambda: launch_all(torch.float16, 2, 3, 64, 256, 256)
    yield "bfloat16, 32²", lambda: launch_products(torch.bfloat16, 2, 3, 32, 256, 256)
    yield "float32", lambda: launch_products(torch.float32, 2, 3, 64, 256, 256)
    yield "tf32", launch_tf32
    if last:
        yield "float32", lambda: launch_all(torch.float32, 2, 3, 64, 256, 256)
        yield "bfloat16, sizes 1", lambda: launch_all(torch.bfloat16, 1, 1, 2, 1, 1)


def launch_tf32() -> None:
    torch.backends.cuda.matmul.allow_tf32 = True
    launch_products(torch.float32, 2, 3, 64, 256, 256)
    torch.backends.cuda.matmul.allow_tf32 = False


def launch_all(dtype: torch.dtype, n: int, t: int, side: int, c: int, d: int) -> None:
    rows, bias, scale = empty(dtype, n, side * side, c), empty(dtype, c), empty(dtype, n, c)
    bias_act.bias_act(rows, bias, scale, *ACTIVATION)
    bias_act.bias_act_backward(rows, rows, bias, scale, *ACTIVATION)
    modulate.modulate_backward(rows, rows, scale)
    for axis, up, down, padding in ((2, 2, 1, [6, 5]), (1, 1, 2, [6, 5])):
        fir.fir(empty(dtype, n, side, side), [1 / 12] * 12, axis, up, down, padding, 1.0)
    maps = empty(dtype, n, c, side + 3, side + 3)
    upfirdn.upfirdn(maps, BINOMIAL, 1, 2, [1, 1], 1.0)
    upfirdn.upfirdn(maps, BINOMIAL, 2, 1, [2, 1], 4.0)
    if dtype == torch.float32:
        upfirdn.upfirdn(maps, [1 / 12] * 12, 1, 2, [6, 5], 1.0)
    upfirdn.upfirdn_bias_act(maps, bias, scale, BINOMIAL, [1, 1], 1.0, *ACTIVATION)
    launch_products(dtype, n, t, side, c, d)
    features, matrix, bias = empty(dtype, n, t, side, side, c), empty(torch.float32, n, c, 3), empty(torch.float32, 3)
    rgb, half = (empty(torch.float32, n, t, s, s, 3) for s in (side, side // 2))
    to_rgb.to_rgb(features, matrix, bias, half)
    to_rgb.to_rgb_backward(rgb, features, matrix, half)
    normal.normal(*(torch.empty(n, width, dtype=torch.int64, device="meta") for width in (4, t)), c)
    fmm.fmm_weight(*(empty(torch.float32, *shape) for shape in ((c, c), (n, c, 10), (n, 10, c))), 1.0)


def launch_products(dtype: torch.dtype, n: int, t: int, side: int, c: int, d: int) -> None:
    bias, weight = empty(dtype, c), empty(dtype, n, 2 * d, c)
    pointwise.pointwise(empty(dtype, n, t * side * side, c), empty(dtype, n, c, c), bias, 0.2)
    coarse, y = (empty(dtype, n, t, s, s, c) for s in (side // 2, side))
    phase = [empty(torch.float32, *shape) for shape in ((n, t, d), (n, d), (n, d))]
    inr_layer.inr_layer(coarse, *phase, weight, bias, side, side, 0.2)
    inr_layer.inr_layer_backward(y, y, coarse, *phase, weight, bias, side, side, 0.2)


def empty(dtype: torch.dtype, *shape: int) -> Tensor:
    return torch.empty(shape, dtype=dtype, device="meta")


def usage(kernel: Any) -> dict[str, Any]:
    """Registers a thread, bytes of them spilled to memory (its stack), and shared memory in bytes."""
    tool = Path(triton.__file__).parent / "backends/nvidia/bin/cuobjdump"
    with tempfile.NamedTemporaryFile(suffix=".cubin") as file:
        file.write(kernel.asm["cubin"])
        file.flush()
        told = subprocess.run([tool, "--dump-resource-usage", file.name], capture_output=True, text=True, check=True)
    found = dict(re.findall(r"(REG|STACK|LOCAL):(\d+)", told.stdout))
    return {
        "registers": int(found["REG"]),
        "spilled": int(found["STACK"]) + int(found["LOCAL"]),
        "shared": kernel.metadata.shared,
        "warps": kernel.metadata.num_warps,
    }


if __name__ == "__main__":
    main()
