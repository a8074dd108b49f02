"""What the Triton kernels share: block sizes, the precision of matrix products, the activation.

Launches have one grid axis (the others end at 65535), whose programs a kernel deals out itself. Offsets that grow
with the number of samples or pixels are 64-bit. Sums across programs go through an array of partial sums: results
are the same in every run, which atomic additions would not give.
"""

import functools
from typing import Any

import torch
import triton
import triton.language as tl
from torch import Tensor

PROGRAMS = 1024
"""Programs that fill any GPU several times over; kernels that sum over rows do not start many more."""


def power(n: int, least: int, most: int) -> int:
    """The smallest power of 2 that is at least n, clamped to `least` … `most`, which are powers of 2."""
    return max(least, min(most, triton.next_power_of_2(max(n, 1))))


def precision(dtype: torch.dtype) -> str:
    """How `tl.dot` multiplies float32; of no effect on the half precisions. Not all of AMD's chips have TF32."""
    if dtype != torch.float32 or torch.version.hip:
        return "ieee"
    matmul = torch.backends.cuda.matmul
    if hasattr(matmul, "fp32_precision"):  # from PyTorch 2.9 on, where `allow_tf32` is an error once this was set
        return "tf32" if matmul.fp32_precision == "tf32" else "ieee"
    return "tf32" if matmul.allow_tf32 else "ieee"


def product_blocks(dtype: torch.dtype, samples: int, rows: int, columns: int) -> dict[str, int]:
    """Blocks (rows BM, columns BN, depth BK) for a matrix product with a result of that size, and how they run.

    Tensor cores want large blocks, three of them in flight: 96 KB of shared memory at most (two on AMD's chips, which
    have 64). Without them (float32, exactly) the operands come through registers, and smaller blocks leave room for the
    sums. Products that would leave a part of the GPU idle are cut finer.
    """
    exact = dtype == torch.float32 and precision(dtype) == "ieee"
    bn = power(columns, 16, 64 if exact else 128)
    many = samples * triton.cdiv(rows, 128) * triton.cdiv(columns, bn) >= PROGRAMS // 4
    bm = 128 if many and not exact else 64
    bk = 16 if exact else 32 if dtype == torch.float32 else 64
    stages = 2 if torch.version.hip else 3
    return {"BM": bm, "BN": bn, "BK": bk, "num_warps": 8 if bm * bn == 128 * 128 else 4, "num_stages": stages}


PARTS = 4
"""Parts of a product over many rows: one result of few rows and columns would leave most of a GPU idle."""


def product_over_rows(x: Tensor, gradient: Tensor) -> Tensor:
    """`[B, M, in]`, `[B, M, out]` → `[B, in, out]` in float32: a sum of parts, each rounded to x's precision."""
    parts = PARTS if x.shape[1] % PARTS == 0 and x.shape[1] >= 4096 else 1
    x, gradient = (y.unflatten(1, (parts, -1)).flatten(0, 1) for y in (x, gradient))
    return torch.bmm(x.mT, gradient).unflatten(0, (-1, parts)).sum(dim=1, dtype=torch.float32)


def launch(kernel: Any, programs: int, *arguments: Any, **constants: Any) -> None:
    """Run `programs` programs on the device of the first tensor.

    Products and sums fuse, as in all CUDA code: this is Triton's default, but it has announced a change.
    """
    with torch.cuda.device_of(arguments[0]):
        kernel[(programs,)](*arguments, enable_fp_fusion=True, **constants)


@functools.lru_cache(maxsize=64)
def on_device(taps: tuple[float, ...], device: torch.device) -> Tensor:
    """A filter's taps on a device, sent once."""
    return torch.tensor(taps, dtype=torch.float32, device=device)


@triton.jit
def activated(x, slope, gain, bound, LRELU: tl.constexpr, CLAMP: tl.constexpr):
    """Leaky ReLU, gain and clamp of float32 values; NaN stays."""
    if LRELU:
        x = tl.where(x > 0, x, x * slope)
    x = x * gain
    if CLAMP:
        x = tl.where(x > bound, bound, tl.where(x < -bound, -bound, x))
    return x
